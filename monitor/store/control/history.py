"""What alerts did and who was told, in one line of time: each transition and each notification with its
receipt. It reads; the evaluator and the outbox write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, false, or_, select, true

from monitor.clock import from_us, to_us
from monitor.store.control.engine import read
from monitor.store.control.schema import alert, notification, transition

PAGE = 500


class Entry(StrEnum):
    """What a line of the history is. At one moment transitions come before what was told of them."""

    TRANSITION = "transition"
    NOTIFICATION = "notification"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. key: where a page that ends with it goes on. reason: why it moved, or why a channel is told.

    Of a transition: from_state, to_state. Of a notification: channel, delivery, tries, settled_at, the last
    error, and the reference by which the service knows the message.
    """

    at: datetime
    entry: Entry
    key: str
    fingerprint: str
    rule: str
    environment: str | None
    severity: str
    reason: str
    summary: str
    from_state: str | None = None
    to_state: str | None = None
    channel: str | None = None
    delivery: str | None = None
    tries: int | None = None
    settled_at: datetime | None = None
    error: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: in [since, until), of one rule, of one alert, of one sort; None for any."""

    since: datetime | None = None
    until: datetime | None = None
    rule: str | None = None
    fingerprint: str | None = None
    entry: Entry | None = None
    below: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class History:
    engine: Engine

    def page(self, wanted: Wanted, limit: int) -> list[Line]:
        """The newest lines, newest first; with `below` those that come after the line of this (at, key)."""
        statements = [
            made(wanted).limit(limit)
            for entry, made in ((Entry.TRANSITION, _transitions), (Entry.NOTIFICATION, _notifications))
            if wanted.entry in (None, entry)
        ]
        with read(self.engine) as tx:
            rows = [row for statement in statements for row in tx.execute(statement).all()]
        return sorted((_line(row) for row in rows), key=_order, reverse=True)[:limit]

    def lines(self, wanted: Wanted) -> Iterator[Line]:
        """All of them, newest first, a page in memory at a time."""
        while page := self.page(wanted, PAGE):
            yield from page
            wanted = replace(wanted, below=(page[-1].at, page[-1].key))


def _order(line: Line) -> tuple[datetime, bool, str]:
    return line.at, line.entry is Entry.NOTIFICATION, line.key


def _transitions(wanted: Wanted) -> Select[Any]:
    """Of the index on at_us."""
    t = transition.c
    chosen = (
        select(
            t.at_us, t.fingerprint, t.revision, t.severity, t.reason, t.summary, t.from_state, t.to_state,
            alert.c.rule, alert.c.environment,
        )
        .join(alert, alert.c.fingerprint == t.fingerprint)
        .where(*_between(t.at_us, wanted))
        .order_by(t.at_us.desc(), t.fingerprint.desc(), t.revision.desc())
    )  # fmt: skip
    if wanted.below is not None:
        us, (sort, key) = to_us(wanted.below[0]), _parts(wanted.below[1])
        fingerprint, _, revision = key.partition(":")
        if sort is Entry.NOTIFICATION:
            chosen = chosen.where(t.at_us <= us)
        else:
            earlier = and_(t.fingerprint == fingerprint, t.revision < int(revision))
            chosen = chosen.where(
                or_(t.at_us < us, and_(t.at_us == us, or_(t.fingerprint < fingerprint, earlier)))
            )
    if wanted.rule is not None:
        chosen = chosen.where(alert.c.rule == wanted.rule)
    return chosen if wanted.fingerprint is None else chosen.where(t.fingerprint == wanted.fingerprint)


def _notifications(wanted: Wanted) -> Select[Any]:
    """Of the index on (created_us, key)."""
    n = notification.c
    chosen = (
        select(
            n.created_us, n.key, n.fingerprint, n.severity, n.reason, n.channel, n.state, n.tries,
            n.settled_us, n.error, n.reference, n.body,
        )
        .where(*_between(n.created_us, wanted))
        .order_by(n.created_us.desc(), n.key.desc())
    )  # fmt: skip
    if wanted.below is not None:
        us, (sort, key) = to_us(wanted.below[0]), _parts(wanted.below[1])
        same = n.key < key if sort is Entry.NOTIFICATION else false()
        chosen = chosen.where(or_(n.created_us < us, and_(n.created_us == us, same)))
    if wanted.rule is not None:
        chosen = chosen.where(
            n.fingerprint.in_(select(alert.c.fingerprint).where(alert.c.rule == wanted.rule))
        )
    return chosen if wanted.fingerprint is None else chosen.where(n.fingerprint == wanted.fingerprint)


def _between(at_us: Any, wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    return (
        true() if wanted.since is None else at_us >= to_us(wanted.since),
        true() if wanted.until is None else at_us < to_us(wanted.until),
    )


def _parts(key: str) -> tuple[Entry, str]:
    sort, _, rest = key.partition(":")
    return Entry(sort), rest


def _line(row: Row[Any]) -> Line:
    if hasattr(row, "revision"):
        return Line(
            from_us(row.at_us),
            Entry.TRANSITION,
            f"{Entry.TRANSITION}:{row.fingerprint}:{row.revision:010d}",
            row.fingerprint,
            row.rule,
            row.environment,
            row.severity,
            row.reason,
            row.summary,
            from_state=row.from_state,
            to_state=row.to_state,
        )
    told = row.body["alert"]
    return Line(
        from_us(row.created_us),
        Entry.NOTIFICATION,
        f"{Entry.NOTIFICATION}:{row.key}",
        row.fingerprint,
        told["rule"],
        told["labels"].get("environment"),
        row.severity,
        row.reason,
        told["evidence"]["summary"],
        channel=row.channel,
        delivery=row.state,
        tries=row.tries,
        settled_at=None if row.settled_us is None else from_us(row.settled_us),
        error=row.error,
        reference=row.reference,
    )
