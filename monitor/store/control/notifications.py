"""The outbox: every message that is due to a channel, until it arrived or was given up for good.

A notification is stored once under its key. It is claimed under the leader's epoch before it leaves and
settled after, so a crash between the two sends it once more, never less than once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, Update, delete, exists, func, or_, select, tuple_, update

from alerts.grouping import group_key
from alerts.model import OPENING as OPENING_REASONS
from alerts.model import Alert, Delivery, Notification, Severity, State, Telling, Why
from alerts.notifier import Attempted, Delivered, GivenUp, Retry
from monitor.clock import Clock, from_us, to_us
from monitor.store.control.bodies import reader
from monitor.store.control.engine import Tx, insert_missing, read, tally
from monitor.store.control.leases import leading
from monitor.store.control.schema import alert, notification

OPENING = tuple(sorted(reason.value for reason in OPENING_REASONS))
MICROSECOND = timedelta(microseconds=1)
_read = reader(Notification)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification in the outbox. tries: how often it failed already. is_due: its own time has come."""

    notification: Notification
    tries: int
    is_due: bool = True


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One notification and what became of it. reference: the service's own id for the message."""

    notification: Notification
    delivery: Delivery
    tries: int
    next_at: datetime
    settled_at: datetime | None
    error: str
    reference: str


@dataclass(frozen=True, slots=True)
class Notifications:
    engine: Engine
    clock: Clock

    def due(self, now: datetime, limit: int) -> Sequence[Waiting]:
        """What waits for a channel of which something has come due, oldest first, but what somebody holds."""
        now_us = to_us(now)
        waits = notification.c.state == Delivery.DUE.value
        called = select(notification.c.channel).where(waits, notification.c.next_us <= now_us)
        wanted = (
            select(notification.c.body, notification.c.tries, notification.c.next_us)
            .where(waits, notification.c.channel.in_(called), _unheld(now_us))
            .order_by(notification.c.created_us, notification.c.key)
            .limit(limit)
        )
        with read(self.engine) as tx:
            rows = tx.execute(wanted).all()
        return [Waiting(_read(row.body), row.tries, row.next_us <= now_us) for row in rows]

    def told(self, one: Notification) -> Sequence[Telling]:
        """What the outbox holds of the notification's alert and episode."""
        return self.tellings([one.alert]).get(one.alert.fingerprint, ())

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]:
        """By fingerprint: what the outbox holds of each alert's current episode."""
        episodes = {one.fingerprint: one.episode for one in alerts}
        found: dict[str, list[Telling]] = {}
        names = sorted(episodes)
        with read(self.engine) as tx:
            for at in range(0, len(names), 500):
                current = [(name, episodes[name]) for name in names[at : at + 500]]
                for row in tx.execute(_tellings(current)).all():
                    found.setdefault(row.fingerprint, []).append(_telling(row))
        return found

    def claim(self, keys: Collection[str], until: datetime, epoch: int) -> frozenset[str]:
        """Those that this call alone may send, until then."""
        free = _due(keys).where(_unheld(to_us(self.clock.now())))
        with leading(self.engine, epoch) as tx:
            claimed = free.values(claimed_until_us=to_us(until), claimed_epoch=epoch)
            return frozenset(tx.execute(claimed.returning(notification.c.key)).scalars())

    def postpone(self, keys: Collection[str], until: datetime, epoch: int) -> None:
        self._change(keys, epoch, next_us=to_us(until), claimed_until_us=None)

    def drop(self, keys: Collection[str], now: datetime, epoch: int) -> None:
        self._change(keys, epoch, state=Delivery.DROPPED.value, settled_us=to_us(now))

    def settle(
        self,
        outcomes: Mapping[str, Attempted],
        now: datetime,
        fallbacks: Sequence[Notification],
        epoch: int,
    ) -> None:
        """What became of each, and the notifications that take over, in one transaction."""
        with leading(self.engine, epoch) as tx:
            for key, attempted in outcomes.items():
                tx.execute(_due([key]).values(claimed_until_us=None, **_outcome(attempted, to_us(now))))
            enqueue(tx, fallbacks)

    def hasten(self, now: datetime, epoch: int) -> int:
        """Makes due now what the clock, since put back, only reaches later; how many there were."""
        ahead = notification.c.created_us > to_us(now)
        late = update(notification).where(notification.c.state == Delivery.DUE.value, ahead)
        with leading(self.engine, epoch) as tx:
            return tx.execute(late.values(next_us=to_us(now), claimed_until_us=None)).rowcount

    def add(self, notifications: Iterable[Notification], epoch: int) -> int:
        """Adds what is not in the outbox yet; how many were new."""
        with leading(self.engine, epoch) as tx:
            return enqueue(tx, notifications)

    def last_sent_at(self, one: Notification) -> datetime | None:
        """When its channel last took a message of its group; None when it never did."""
        newest = select(func.max(notification.c.settled_us)).where(
            notification.c.group_key == group_key(one), notification.c.state == Delivery.DELIVERED.value
        )
        with read(self.engine) as tx:
            found = tx.scalar(newest)
        return None if found is None else from_us(found)

    def opened_as(self, one: Notification) -> str:
        """The service's own id of the first message that its channel took of this episode; empty where there
        is none."""
        first = (
            select(notification.c.reference)
            .where(
                notification.c.fingerprint == one.alert.fingerprint,
                notification.c.episode == one.alert.episode,
                notification.c.channel == one.channel,
                notification.c.reason.in_(OPENING),
                notification.c.state == Delivery.DELIVERED.value,
            )
            .order_by(notification.c.created_us)
            .limit(1)
        )
        with read(self.engine) as tx:
            return tx.scalar(first) or ""

    def of_alert(self, fingerprint: str, limit: int = 200) -> Sequence[OutboxRow]:
        """What was and is to be told of one alert, newest first."""
        wanted = select(notification).where(notification.c.fingerprint == fingerprint)
        with read(self.engine) as tx:
            rows = tx.execute(wanted.order_by(notification.c.created_us.desc()).limit(limit)).all()
        return [_outbox_row(row) for row in rows]

    def last_settled(self, channel: str, since: datetime) -> OutboxRow | None:
        """The newest message that the channel took or gave up; created since then, by that index."""
        over = Delivery.DELIVERED.value, Delivery.GIVEN_UP.value
        wanted = (
            select(notification)
            .where(
                notification.c.channel == channel,
                notification.c.state.in_(over),
                notification.c.created_us >= to_us(since),
            )
            .order_by(notification.c.created_us.desc(), notification.c.key.desc())
            .limit(1)
        )
        with read(self.engine) as tx:
            row = tx.execute(wanted).one_or_none()
        return None if row is None else _outbox_row(row)

    def overdue(self, now: datetime) -> Sequence[tuple[str, int, datetime]]:
        """Of each channel what waits although its time has come or was tried: how many, the oldest since."""
        waits = notification.c.state == Delivery.DUE.value
        late = or_(notification.c.next_us <= to_us(now), notification.c.tries > 0)
        wanted = (
            select(notification.c.channel, func.count(), func.min(notification.c.created_us))
            .where(waits, late)
            .group_by(notification.c.channel)
            .order_by(notification.c.channel)
        )
        with read(self.engine) as tx:
            rows: Sequence[Any] = tx.execute(wanted).all()
        return [(row[0], row[1], from_us(row[2])) for row in rows]

    def counts(self) -> Mapping[Delivery, int]:
        """How many stand where; every state is there."""
        with read(self.engine) as tx:
            rows = tally(tx, select(notification.c.state, func.count()).group_by(notification.c.state))
        found = {Delivery(state): count for state, count in rows}
        return {state: found.get(state, 0) for state in Delivery}

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes what was settled before; how many. Of an alert that fires still, repeats alone: the rest
        says who knows of it."""
        fires = exists().where(
            alert.c.fingerprint == notification.c.fingerprint,
            alert.c.episode == notification.c.episode,
            alert.c.state == State.FIRING.value,
        )
        old = delete(notification).where(
            notification.c.state != Delivery.DUE.value,
            notification.c.settled_us < to_us(before),
            or_(notification.c.reason == Why.REPEAT.value, ~fires),
        )
        with leading(self.engine, epoch) as tx:
            return tx.execute(old).rowcount

    def _change(self, keys: Collection[str], epoch: int, **values: object) -> None:
        with leading(self.engine, epoch) as tx:
            tx.execute(_due(keys).values(**values))


def enqueue(tx: Tx, notifications: Iterable[Notification]) -> int:
    """Adds what is not in the outbox yet, in the transaction of what it announces; how many were new."""
    return sum(insert_missing(tx, notification, _new_row(one)) for one in notifications)


def _new_row(one: Notification) -> dict[str, Any]:
    return {
        "key": one.key,
        "fingerprint": one.alert.fingerprint,
        "episode": one.alert.episode,
        "channel": one.channel,
        "reason": one.reason.value,
        "severity": one.alert.severity.value,
        "fallback": one.fallback,
        "group_key": group_key(one),
        "body": msgspec.to_builtins(one),
        "created_us": to_us(one.created_at),
        "jumped_us": one.alert.jumped // MICROSECOND,
        "state": Delivery.DUE.value,
        "tries": 0,
        "next_us": to_us(one.created_at),
    }


def _outcome(attempted: Attempted, now_us: int) -> dict[str, Any]:
    match attempted:
        case Delivered(receipt):
            return {
                "state": Delivery.DELIVERED.value,
                "settled_us": now_us,
                "reference": receipt.reference,
                "error": receipt.warning or None,
            }
        case Retry(at, error):
            return {"tries": notification.c.tries + 1, "next_us": to_us(at), "error": str(error)}
        case GivenUp(error):
            return {
                "state": Delivery.GIVEN_UP.value,
                "settled_us": now_us,
                "tries": notification.c.tries + 1,
                "error": str(error),
            }


def _due(keys: Collection[str]) -> Update:
    return update(notification).where(
        notification.c.key.in_(keys), notification.c.state == Delivery.DUE.value
    )


def _unheld(now_us: int) -> Any:
    held = notification.c.claimed_until_us
    return or_(held.is_(None), held <= now_us)


def _tellings(episodes: Sequence[tuple[str, int]]) -> Any:
    """One row for all that are alike in all but time: an alert that is repeated for a month has few.

    steady_us: the latest time, by a clock that never jumped.
    """
    alike = (
        notification.c.fingerprint,
        notification.c.episode,
        notification.c.channel,
        notification.c.reason,
        notification.c.severity,
        notification.c.state,
    )
    created_us = notification.c.created_us
    latest_us = func.max(created_us)
    return (
        select(
            *alike,
            latest_us.label("latest_us"),
            func.max(created_us - notification.c.jumped_us).label("steady_us"),
            func.count().label("times"),
        )
        .where(tuple_(notification.c.fingerprint, notification.c.episode).in_(episodes))
        .group_by(*alike)
        .order_by(latest_us)
    )


def _telling(row: Row[Any]) -> Telling:
    return Telling(
        row.fingerprint,
        row.episode,
        row.channel,
        Why(row.reason),
        Severity(row.severity),
        from_us(row.latest_us),
        Delivery(row.state),
        (row.latest_us - row.steady_us) * MICROSECOND,
        row.times,
    )


def _outbox_row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        _read(row.body),
        Delivery(row.state),
        row.tries,
        from_us(row.next_us),
        None if row.settled_us is None else from_us(row.settled_us),
        row.error or "",
        row.reference or "",
    )
