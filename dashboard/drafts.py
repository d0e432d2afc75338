"""A silence as its form says it, made out of the texts that a person typed. Pure: it keeps and sends nothing.

Every refusal is one sentence with what to write instead, for it is read in the dialog.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.hours import DAY, DAYS, Hours, hours_of
from alerts.patterns import all_match
from alerts.silences import matcher_problem
from dashboard import format as fmt
from dashboard.views import AlertLine
from monitor.errors import Unprocessable

LENGTHS = {
    "30 minutes": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "2 hours": timedelta(hours=2),
    "4 hours": timedelta(hours=4),
    "8 hours": timedelta(hours=8),
    "1 day": timedelta(days=1),
    "1 week": timedelta(days=7),
    "30 days": timedelta(days=30),
    "90 days": timedelta(days=90),
}
USUAL = "2 hours"
_PAST = timedelta(minutes=5)
"""A form that was open for so long still says "now"."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A silence before it is made. hours: None for all day long."""

    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    comment: str = ""
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of the dialog as they stand. start: local to the zone, as `2026-11-22T02:00`; empty for
    now. span: `22:00-07:00`; empty for all day long. days: of DAYS; none for each day."""

    matchers: str = ""
    length: str = USUAL
    start: str = ""
    span: str = ""
    days: Collection[str] = ()
    zone: str = "UTC"
    comment: str = ""


def draft_of(form: Form, now: datetime) -> Draft:
    """The silence that the form means. Raises Unprocessable for a field that means nothing."""
    starts_at = _start(form.start, form.zone, now)
    ends_at = starts_at + LENGTHS.get(form.length, LENGTHS[USUAL])
    hours = _hours(form)
    if hours is not None and not _come(hours, starts_at, ends_at):
        raise Unprocessable("these hours do not come before the silence ends", "let it last longer")
    return Draft(matchers_of(form.matchers), starts_at, ends_at, form.comment, hours)


def matchers_of(text: str) -> dict[str, str]:
    """The matchers of lines such as `source=stripe`. Raises Unprocessable for a line that is none."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        label, equals, pattern = (part.strip() for part in line.partition("="))
        if not equals:
            raise Unprocessable(f'"{line}" is no matcher', "write label=pattern, such as source=stripe")
        if label in found:
            raise Unprocessable(f"{label} is matched twice", "one pattern with * may cover both")
        found[label] = pattern
    return found


def matchers_text(matchers: Mapping[str, str]) -> str:
    """What `matchers_of` reads back."""
    return "\n".join(f"{label}={pattern}" for label, pattern in matchers.items())


def preview(draft: Draft, alerts: Iterable[AlertLine], now: datetime) -> str:
    """When it would be in force, and what that fires now it would keep quiet.

    Raises Unprocessable for a matcher that cannot be meant.
    """
    for label, pattern in draft.matchers.items():
        if problem := matcher_problem(label, pattern):
            raise Unprocessable(problem)
    begins = "From now" if draft.starts_at <= now else f"From {fmt.moment(draft.starts_at)[:-3]} UTC"
    span = f"{begins} until {fmt.moment(draft.ends_at)[:-3]} UTC"
    hours = f", only {draft.hours}" if draft.hours else ""
    firing = [one for one in alerts if one.state == "firing" and covers(draft.matchers, one)]
    n = len(firing)
    said = f"{n} {'alert' if n == 1 else 'alerts'} that {'fires' if n == 1 else 'fire'} now" if n else ""
    matched = f"It matches {said}." if said else "It matches nothing that fires now."
    return f"{span}{hours}. {matched}"


def covers(matchers: Mapping[str, str], alert: AlertLine) -> bool:
    """Whether a silence with these matchers would cover the alert."""
    labels = {**alert.labels, "rule": alert.rule, "kind": alert.kind, "severity": alert.severity}
    return bool(matchers) and all_match(matchers, labels)


def _start(text: str, zone: str, now: datetime) -> datetime:
    if not text.strip():
        return now
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise Unprocessable(
            f'"{text}" is no date and time', "write one such as 2026-11-22 02:00, or leave it empty for now"
        ) from exc
    if local.tzinfo is None:
        local = local.replace(tzinfo=_zone(zone))
    starts_at = local.astimezone(UTC)
    if starts_at < now - _PAST:
        raise Unprocessable(f"the start lies {fmt.span(now - starts_at)} back", "leave it empty to start now")
    return starts_at


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise Unprocessable(f'"{name}" is not a time zone', "choose one such as Europe/Berlin") from exc


def _hours(form: Form) -> Hours | None:
    if not form.span.strip():
        if form.days:
            raise Unprocessable(
                "days are chosen without hours", "write the hours as well, such as 00:00-00:00 for whole days"
            )
        return None
    try:
        return hours_of(form.span, form.zone, ",".join(day for day in DAYS if day in form.days))
    except ValueError as exc:
        raise Unprocessable(f'"{form.span}" are no hours of the day', str(exc)) from exc


def _come(hours: Hours, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a window of the hours lies, at least in part, between the two."""
    zone = ZoneInfo(hours.timezone)
    day = starts_at.astimezone(zone).date() - DAY
    while (begins := datetime.combine(day, hours.start, zone)) < ends_at:
        window = hours.window(begins)
        if window is not None and window[0] < ends_at and window[1] > starts_at:
            return True
        day += DAY
    return False
