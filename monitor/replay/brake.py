"""How many events a replay may send now, and whether it must stop itself. Pure: no store, no clock.

A receiver that is still broken is told so by five events, not by ten thousand.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.dead_letters import Item, ItemState

STOP_AFTER = 5
"""Failures in a row that stop a replay."""


def must_stop(latest: Sequence[ItemState]) -> bool:
    """Whether the last STOP_AFTER settled items all failed. latest: newest first; unconfirmed ones neither
    count nor interrupt the row."""
    judged = [state for state in latest if state in (ItemState.SUCCEEDED, ItemState.FAILED)]
    head = judged[:STOP_AFTER]
    return len(head) == STOP_AFTER and all(state is ItemState.FAILED for state in head)


@dataclass(frozen=True, slots=True)
class Pace:
    """A bucket of at most one second's worth of events. at_s: on the monotonic clock."""

    per_second: float
    tokens: float
    at_s: float

    @staticmethod
    def start(per_second: float, now_s: float) -> "Pace":
        return Pace(per_second, 1.0, now_s)

    def refilled(self, now_s: float) -> "Pace":
        most = max(1.0, self.per_second)
        return replace(
            self, tokens=min(most, self.tokens + (now_s - self.at_s) * self.per_second), at_s=now_s
        )

    def spent(self, events: int) -> "Pace":
        return replace(self, tokens=self.tokens - events)


def sendable(planned: Sequence[Item], in_flight: Sequence[Item], limit: int, tokens: float) -> list[Item]:
    """The planned items to send now, in order: no more than the tokens, and no more than `limit` on their way
    to any one endpoint."""
    busy = Counter(_endpoint(item) for item in in_flight)
    chosen: list[Item] = []
    for item in planned:
        if len(chosen) + 1 > tokens:
            break
        if busy[_endpoint(item)] < limit:
            busy[_endpoint(item)] += 1
            chosen.append(item)
    return chosen


def _endpoint(item: Item) -> tuple[str, str, str]:
    return item.key.environment, item.key.source, item.key.endpoint
