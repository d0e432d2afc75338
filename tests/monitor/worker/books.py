"""An alert book and its outbox in memory, as strict as a store: a past epoch is refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.lifecycle import Move
from alerts.message import Message
from alerts.model import Alert, Delivery, Notification, Silence, State, Telling
from alerts.notifier import Attempted, Delivered, GivenUp, Retry
from monitor.errors import Conflict
from monitor.store.control.notifications import Waiting


@dataclass(slots=True)
class Entry:
    notification: Notification
    delivery: Delivery = Delivery.DUE
    tries: int = 0
    next_at: datetime | None = None

    def telling(self) -> Telling:
        n = self.notification
        return Telling(
            n.alert.fingerprint,
            n.alert.episode,
            n.channel,
            n.reason,
            n.alert.severity,
            n.created_at,
            self.delivery,
        )


@dataclass(slots=True)
class MemoryBook:
    epoch: int = 1
    stored: dict[str, Alert] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    active_silences: list[Silence] = field(default_factory=list)

    def alerts(self, fingerprints: Iterable[str]) -> Mapping[str, Alert]:
        wanted = set(fingerprints)
        return {
            fingerprint: alert
            for fingerprint, alert in self.stored.items()
            if fingerprint in wanted or alert.state in (State.PENDING, State.FIRING, State.RESOLVED)
        }

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]:
        return {
            alert.fingerprint: [
                entry.telling()
                for entry in self.entries.values()
                if entry.notification.alert.fingerprint == alert.fingerprint
            ]
            for alert in alerts
        }

    def silences(self, now: datetime) -> Sequence[Silence]:
        return self.active_silences

    def commit(self, moves: Sequence[Move], notifications: Sequence[Notification], epoch: int) -> None:
        self._require(epoch)
        self.moves += moves
        self.stored.update({move.after.fingerprint: move.after for move in moves})
        for notification in notifications:
            self.entries.setdefault(notification.key, Entry(notification))

    def due(self, now: datetime, limit: int) -> Sequence[Waiting]:
        return [
            Waiting(entry.notification, entry.tries)
            for entry in self.entries.values()
            if entry.delivery is Delivery.DUE and (entry.next_at is None or entry.next_at <= now)
        ][:limit]

    def told(self, notification: Notification) -> Sequence[Telling]:
        return self.tellings([notification.alert])[notification.alert.fingerprint]

    def claim(self, key: str, until: datetime, epoch: int) -> bool:
        self._require(epoch)
        self.entries[key].next_at = until
        return True

    def postpone(self, key: str, until: datetime, epoch: int) -> None:
        self._require(epoch)
        self.entries[key].next_at = until

    def settle(
        self, key: str, attempted: Attempted, now: datetime, fallback: Notification | None, epoch: int
    ) -> None:
        self._require(epoch)
        entry = self.entries[key]
        match attempted:
            case Delivered():
                entry.delivery = Delivery.DELIVERED
            case GivenUp():
                entry.delivery = Delivery.GIVEN_UP
            case Retry(at=at):
                entry.tries, entry.next_at = entry.tries + 1, at
        if fallback is not None:
            self.entries.setdefault(fallback.key, Entry(fallback))

    def drop(self, key: str, now: datetime, epoch: int) -> None:
        self._require(epoch)
        self.entries[key].delivery = Delivery.DROPPED

    def _require(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise Conflict("another worker leads")


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it is sent; fails while `broken`, for good when it is not `retryable`."""

    name: str
    broken: bool = False
    retryable: bool = True
    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        if self.broken:
            raise ChannelError(Failure.SERVER_ERROR, "down", retryable=self.retryable)
        self.sent.append(message)
        return Receipt()
