"""An alert book and its outbox in memory, as strict as a store: a past epoch is refused."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.grouping import group_key
from alerts.lifecycle import Move
from alerts.message import Message
from alerts.model import OPENING, Alert, Delivery, Notification, Silence, State, Telling
from alerts.notifier import Attempted, Delivered, GivenUp, Retry
from monitor.errors import Conflict
from monitor.store.control.notifications import Waiting


@dataclass(slots=True)
class Entry:
    notification: Notification
    delivery: Delivery = Delivery.DUE
    tries: int = 0
    next_at: datetime | None = None
    held_until: datetime | None = None
    settled_at: datetime | None = None
    reference: str = ""

    def is_due(self, now: datetime) -> bool:
        return self.next_at is None or self.next_at <= now

    def is_held(self, now: datetime) -> bool:
        return self.held_until is not None and self.held_until > now

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
            n.alert.jumped,
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

    def add(self, notifications: Sequence[Notification], epoch: int) -> int:
        self._require(epoch)
        before = len(self.entries)
        for notification in notifications:
            self.entries.setdefault(notification.key, Entry(notification))
        return len(self.entries) - before

    def due(self, now: datetime, limit: int) -> Sequence[Waiting]:
        waiting = [entry for entry in self.entries.values() if entry.delivery is Delivery.DUE]
        called = {entry.notification.channel for entry in waiting if entry.is_due(now)}
        return [
            Waiting(entry.notification, entry.tries, entry.is_due(now))
            for entry in waiting
            if entry.notification.channel in called and not entry.is_held(now)
        ][:limit]

    def told(self, notification: Notification) -> Sequence[Telling]:
        return self.tellings([notification.alert])[notification.alert.fingerprint]

    def claim(self, keys: Collection[str], until: datetime, epoch: int) -> frozenset[str]:
        self._require(epoch)
        for key in keys:
            self.entries[key].held_until = until
        return frozenset(keys)

    def postpone(self, keys: Collection[str], until: datetime, epoch: int) -> None:
        self._require(epoch)
        for key in keys:
            self.entries[key].next_at = until

    def settle(
        self,
        outcomes: Mapping[str, Attempted],
        now: datetime,
        fallbacks: Sequence[Notification],
        epoch: int,
    ) -> None:
        self._require(epoch)
        for key, attempted in outcomes.items():
            entry = self.entries[key]
            entry.held_until, entry.settled_at = None, now
            match attempted:
                case Delivered(receipt):
                    entry.delivery, entry.reference = Delivery.DELIVERED, receipt.reference
                case GivenUp():
                    entry.delivery = Delivery.GIVEN_UP
                case Retry(at=at):
                    entry.tries, entry.next_at = entry.tries + 1, at
        for fallback in fallbacks:
            self.entries.setdefault(fallback.key, Entry(fallback))

    def drop(self, keys: Collection[str], now: datetime, epoch: int) -> None:
        self._require(epoch)
        for key in keys:
            self.entries[key].delivery = Delivery.DROPPED

    def hasten(self, now: datetime, epoch: int) -> int:
        self._require(epoch)
        late = [entry for entry in self.entries.values() if entry.notification.created_at > now]
        for entry in late:
            entry.next_at, entry.held_until = None, None
        return len(late)

    def last_sent_at(self, notification: Notification) -> datetime | None:
        return max(
            (
                entry.settled_at
                for entry in self.entries.values()
                if entry.delivery is Delivery.DELIVERED
                and entry.settled_at is not None
                and group_key(entry.notification) == group_key(notification)
            ),
            default=None,
        )

    def opened_as(self, notification: Notification) -> str:
        return next(
            (
                entry.reference
                for entry in self.entries.values()
                if entry.notification.alert.fingerprint == notification.alert.fingerprint
                and entry.notification.channel == notification.channel
                and entry.notification.reason in OPENING
                and entry.delivery is Delivery.DELIVERED
            ),
            "",
        )

    def _require(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise Conflict("another worker leads")


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it is sent; fails while `broken`, for good when it is not `retryable`, and always for the
    rules it `refuses`. asked: how often it was tried."""

    name: str
    broken: bool = False
    retryable: bool = True
    gathers: bool = True
    amends: bool = False
    refuses: set[str] = field(default_factory=set)
    retry_after_s: float | None = None
    asked: int = 0
    stall: Event | None = None
    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        self.asked += 1
        if self.stall is not None:
            assert self.stall.wait(10)
        if self.broken or message.alert.rule in self.refuses:
            raise ChannelError(
                Failure.SERVER_ERROR, "down", retryable=self.retryable, retry_after_s=self.retry_after_s
            )
        self.sent.append(message)
        return Receipt(reference=f"{self.name}-{len(self.sent)}")
