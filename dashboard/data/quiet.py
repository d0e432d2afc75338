"""What is kept quiet on purpose: silences, the file's maintenance windows, and what each of them hid."""

from collections.abc import Sequence
from datetime import datetime

from alerts.model import Silence
from dashboard.views import HiddenLine, SilenceLine, SilencesView
from monitor.store.control import Control

_ENDED_SHOWN = 50


def silences(control: Control, windows: Sequence[Silence], chosen: str | None, now: datetime) -> SilencesView:
    """Those that have not ended, the next to end first, then the latest that have. chosen: an id."""
    kept = control.silences
    current = kept.current(now)
    known = {one.id for one in current}
    ended = [one for one in kept.history(len(known) + _ENDED_SHOWN) if one.id not in known]
    found = [*current, *windows, *ended]
    hid = kept.hid(one.id for one in found)
    files = {one.id for one in windows}
    return SilencesView(
        [
            SilenceLine(
                one.id,
                one.matchers,
                one.starts_at,
                one.ends_at,
                _state(one, now),
                one.created_by,
                one.comment,
                "" if one.hours is None else str(one.hours),
                hid.get(one.id, 0),
                one.id in files,
            )
            for one in found
        ],
        []
        if chosen is None
        else [
            HiddenLine(one.at, one.rule, one.severity.value, one.fingerprint, one.summary)
            for one in kept.hidden(chosen)
        ],
    )


def _state(one: Silence, now: datetime) -> str:
    if one.ends_at <= now:
        return "ended"
    if one.starts_at > now:
        return "coming"
    return "in force" if one.holds(now) else "between its hours"
