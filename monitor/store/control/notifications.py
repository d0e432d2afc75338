"""The outbox: every message that is due to a channel, until it arrived or was given up for good.

A notification is stored once under its key. It is claimed under the leader's epoch before it leaves and
settled after, so a crash between the two sends it once more, never less than once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, delete, func, or_, select, update

from alerts.model import Alert, Delivery, Notification, Severity, Telling, Why
from alerts.notifier import OPENING as OPENING_REASONS
from alerts.notifier import Attempted, Delivered, GivenUp, Retry
from monitor.clock import Clock, from_us, to_us
from monitor.store.control.engine import Tx, insert_missing, read, tally
from monitor.store.control.leases import leading
from monitor.store.control.schema import notification

OPENING = tuple(sorted(reason.value for reason in OPENING_REASONS))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification in the outbox. tries: how often it failed already."""

    notification: Notification
    tries: int


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
        """Those whose next try has come and that nobody holds, oldest first."""
        now_us = to_us(now)
        wanted = (
            select(notification.c.body, notification.c.tries)
            .where(
                notification.c.state == Delivery.DUE.value,
                notification.c.next_us <= now_us,
                _unheld(now_us),
            )
            .order_by(notification.c.created_us, notification.c.key)
            .limit(limit)
        )
        with read(self.engine) as tx:
            rows = tx.execute(wanted).all()
        return [Waiting(msgspec.convert(row.body, Notification), row.tries) for row in rows]

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
                for row in tx.execute(_tellings(names[at : at + 500])).all():
                    if row.episode == episodes[row.fingerprint]:
                        found.setdefault(row.fingerprint, []).append(_telling(row))
        return found

    def claim(self, key: str, until: datetime, epoch: int) -> bool:
        """True when this call alone may send it, until then."""
        free = update(notification).where(
            notification.c.key == key,
            notification.c.state == Delivery.DUE.value,
            _unheld(to_us(self.clock.now())),
        )
        with leading(self.engine, epoch) as tx:
            claimed = free.values(claimed_until_us=to_us(until), claimed_epoch=epoch)
            return tx.execute(claimed).rowcount == 1

    def postpone(self, key: str, until: datetime, epoch: int) -> None:
        self._change(key, epoch, next_us=to_us(until), claimed_until_us=None)

    def drop(self, key: str, now: datetime, epoch: int) -> None:
        self._change(key, epoch, state=Delivery.DROPPED.value, settled_us=to_us(now))

    def settle(
        self, key: str, attempted: Attempted, now: datetime, fallback: Notification | None, epoch: int
    ) -> None:
        """The outcome, and the notification that takes over, in one transaction."""
        with leading(self.engine, epoch) as tx:
            due = update(notification).where(
                notification.c.key == key, notification.c.state == Delivery.DUE.value
            )
            tx.execute(due.values(claimed_until_us=None, **_outcome(attempted, to_us(now))))
            enqueue(tx, [] if fallback is None else [fallback])

    def of_alert(self, fingerprint: str, limit: int = 200) -> Sequence[OutboxRow]:
        """What was and is to be told of one alert, newest first."""
        wanted = select(notification).where(notification.c.fingerprint == fingerprint)
        with read(self.engine) as tx:
            rows = tx.execute(wanted.order_by(notification.c.created_us.desc()).limit(limit)).all()
        return [_outbox_row(row) for row in rows]

    def counts(self) -> Mapping[Delivery, int]:
        """How many stand where; every state is there."""
        with read(self.engine) as tx:
            rows = tally(tx, select(notification.c.state, func.count()).group_by(notification.c.state))
        found = {Delivery(state): count for state, count in rows}
        return {state: found.get(state, 0) for state in Delivery}

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes what was settled before; how many."""
        old = delete(notification).where(
            notification.c.state != Delivery.DUE.value, notification.c.settled_us < to_us(before)
        )
        with leading(self.engine, epoch) as tx:
            return tx.execute(old).rowcount

    def _change(self, key: str, epoch: int, **values: object) -> None:
        due = update(notification).where(
            notification.c.key == key, notification.c.state == Delivery.DUE.value
        )
        with leading(self.engine, epoch) as tx:
            tx.execute(due.values(**values))


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
        "body": msgspec.to_builtins(one),
        "created_us": to_us(one.created_at),
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


def _unheld(now_us: int) -> Any:
    held = notification.c.claimed_until_us
    return or_(held.is_(None), held <= now_us)


def _tellings(fingerprints: Sequence[str]) -> Any:
    return (
        select(
            notification.c.fingerprint,
            notification.c.episode,
            notification.c.channel,
            notification.c.reason,
            notification.c.severity,
            notification.c.created_us,
            notification.c.state,
        )
        .where(notification.c.fingerprint.in_(fingerprints))
        .order_by(notification.c.created_us)
    )


def _telling(row: Row[Any]) -> Telling:
    return Telling(
        row.fingerprint,
        row.episode,
        row.channel,
        Why(row.reason),
        Severity(row.severity),
        from_us(row.created_us),
        Delivery(row.state),
    )


def _outbox_row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        msgspec.convert(row.body, Notification),
        Delivery(row.state),
        row.tries,
        from_us(row.next_us),
        None if row.settled_us is None else from_us(row.settled_us),
        row.error or "",
        row.reference or "",
    )
