"""What the screen of dead letters asks: a page by keyset with counts, and one letter with its history.

Reads control only. Whether the provider delivered an event again meanwhile is the plan's to look up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.dead_letters import (
    Item,
    Letter,
    LetterFilter,
    LetterRecord,
    LetterState,
    Refusal,
)
from monitor.store.control import Control
from monitor.store.control.catalog import Endpoint


@dataclass(frozen=True, slots=True)
class LetterSummary:
    """A letter and why it cannot be replayed now; refusal is None when it can."""

    letter: Letter
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class LetterPage:
    """The latest deaths first. counts: by state, of all that match but for the states asked for."""

    letters: Sequence[LetterSummary]
    counts: Mapping[LetterState, int]
    next_before: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class LetterDetail:
    """records: by record time. items: its replays, newest first."""

    summary: LetterSummary
    records: Sequence[LetterRecord]
    items: Sequence[Item]


def letters(
    control: Control, wanted: LetterFilter, limit: int = 100, before: tuple[datetime, str] | None = None
) -> LetterPage:
    """A page; `before` is the last page's next_before."""
    found = control.letters.page(wanted, limit + 1, before)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return LetterPage(
        _summaries(control, shown),
        control.letters.counts(wanted),
        None if last is None else (last.standing.died_at, last.id),
    )


def letter(control: Control, id: str) -> LetterDetail | None:
    """One letter with its history; None when there is none."""
    found = control.letters.get(id)
    if found is None or found.state is LetterState.NONE:
        return None
    return LetterDetail(
        _summaries(control, [found])[0], control.letters.records(id), control.replays.of_letter(id)
    )


def open_letters(control: Control, environment: str) -> Mapping[tuple[str, str], int]:
    """(source, endpoint) → how many letters wait for somebody: open or permanent."""
    return control.letters.by_endpoint(environment, (LetterState.OPEN, LetterState.PERMANENT))


def _summaries(control: Control, found: Sequence[Letter]) -> list[LetterSummary]:
    busy = control.replays.busy([one.id for one in found])
    endpoints = {one.key: one for one in control.catalog.endpoints()}
    return [LetterSummary(one, _refusal(one, endpoints, one.id in busy)) for one in found]


def _refusal(one: Letter, endpoints: Mapping[tuple[str, str, str], Endpoint], busy: bool) -> Refusal | None:
    endpoint = endpoints.get((one.key.environment, one.key.source, one.key.endpoint))
    tests = (
        (one.state is LetterState.RESOLVED, Refusal.RESOLVED),
        (busy, Refusal.BUSY),
        (one.redacted is None, Refusal.NO_CAPTURE),
        (one.redacted is True, Refusal.REDACTED),
        (endpoint is None or not endpoint.url, Refusal.NO_URL),
        (endpoint is None or endpoint.replay_secret is None, Refusal.NO_SECRET),
    )
    return next((why for applies, why in tests if applies), None)
