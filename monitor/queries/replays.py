"""What the screens of replays ask: the latest with counts, and one with its items. Reads control only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.dead_letters import Item, ItemState, Replay
from monitor.store.control import Control


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """A replay and how far it is. counts: items by state, every state."""

    replay: Replay
    counts: Mapping[ItemState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def to_go(self) -> int:
        """Items whose outcome is still open."""
        return sum(self.counts[state] for state in (ItemState.PLANNED, ItemState.SENDING, ItemState.SENT))


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """Newest first."""

    replays: Sequence[ReplaySummary]
    next_before: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class ReplayDetail:
    """items: by position, from `after` on. next_after: the position to go on from; None at the end."""

    summary: ReplaySummary
    items: Sequence[Item]
    next_after: int | None


def replays(control: Control, limit: int = 50, before: tuple[datetime, str] | None = None) -> ReplayPage:
    """A page; `before` is the last page's next_before."""
    found = control.replays.page(limit + 1, before)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return ReplayPage(_summaries(control, shown), None if last is None else (last.created_at, last.id))


def replay(control: Control, id: str, limit: int = 200, after: int = -1) -> ReplayDetail | None:
    """One replay with a page of its items; None when there is none."""
    found = control.replays.get(id)
    if found is None:
        return None
    items = control.replays.items(id, limit=limit + 1, after=after)
    more = items[limit - 1].position if len(items) > limit else None
    return ReplayDetail(_summaries(control, [found])[0], items[:limit], more)


def _summaries(control: Control, found: Sequence[Replay]) -> list[ReplaySummary]:
    counts = control.replays.counts([one.id for one in found])
    return [ReplaySummary(one, {state: counts[one.id].get(state, 0) for state in ItemState}) for one in found]
