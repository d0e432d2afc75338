"""What the demo promises, and whether it happened: an alert that arrives, resolves, and leaves dead letters.

Pure but for the lock: it is told what was caught and asked at the end. It starts and sends nothing.
"""

import threading
from dataclasses import dataclass

from monitor.maintain.demo.catcher import Caught

RULE = "failure_count"
CHANNELS = frozenset({"slack", "email"})
STEADY_S = 15.0
FAILING_S = 50.0
CYCLE_S = 600.0
FIRED_WITHIN_S = 120.0
RESOLVED_WITHIN_S = 360.0


def is_failing(elapsed_s: float) -> bool:
    """Whether the ledger is broken so many seconds after the traffic began; the period comes again."""
    return STEADY_S <= elapsed_s % CYCLE_S < STEADY_S + FAILING_S


@dataclass(frozen=True, slots=True)
class Promise:
    """kept_at_s: seconds after the traffic began; None while it has not happened."""

    what: str
    within_s: float
    kept_at_s: float | None

    def is_kept(self) -> bool:
        return self.kept_at_s is not None and self.kept_at_s <= self.within_s


class Story:
    """What arrived so far, by channel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fired: dict[str, float] = {}
        self._resolved: dict[str, float] = {}

    def caught(self, message: Caught, elapsed_s: float) -> None:
        if f"{RULE} at " not in message.title:
            return
        with self._lock:
            book = self._resolved if "Resolved: " in message.title else self._fired
            book.setdefault(message.by, elapsed_s)

    def is_shown(self, by_s: float | None) -> bool:
        """Whether all that is promised by then has happened; False when nothing is."""
        due = [promise for promise in self.promises() if by_s is not None and promise.within_s <= by_s]
        return bool(due) and all(promise.kept_at_s is not None for promise in due)

    def promises(self) -> list[Promise]:
        with self._lock:
            fired, resolved = _whole(self._fired), _whole(self._resolved)
        return [
            Promise(f"{RULE} fired and reached Slack and the mailbox", FIRED_WITHIN_S, fired),
            Promise(f"{RULE} resolved and both were told", RESOLVED_WITHIN_S, resolved),
        ]


def _whole(times: dict[str, float]) -> float | None:
    return max(times.values()) if times.keys() >= CHANNELS else None
