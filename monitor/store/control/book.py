"""What one round of the evaluator reads and commits: alerts, what was told of them, silences. It judges
nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from alerts.lifecycle import Move
from alerts.model import Alert, Notification, Silence, Telling
from monitor.dead_letters import PERMANENT_LETTER
from monitor.store.control.alerts import Alerts
from monitor.store.control.leases import leading
from monitor.store.control.notifications import Notifications, enqueue
from monitor.store.control.silences import Silences


@dataclass(frozen=True, slots=True)
class Book:
    engine: Engine
    kept: Alerts
    outbox: Notifications
    hushed: Silences

    def alerts(self, fingerprints: Iterable[str]) -> Mapping[str, Alert]:
        """By fingerprint: the named ones that exist, every alert that is pending or firing, and each resolved
        one whose end some channel may not know yet."""
        return self.kept.wanted(fingerprints, without_kinds=[PERMANENT_LETTER])

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]:
        return self.outbox.tellings(alerts)

    def silences(self, now: datetime) -> Sequence[Silence]:
        return self.hushed.current(now)

    def commit(self, moves: Sequence[Move], notifications: Sequence[Notification], epoch: int) -> None:
        """All in one transaction. Raises LeaseLost when the epoch is no longer the leader's."""
        with leading(self.engine, epoch) as tx:
            for move in moves:
                self.kept.put(tx, move.after, [] if move.transition is None else [move.transition])
            enqueue(tx, notifications)
