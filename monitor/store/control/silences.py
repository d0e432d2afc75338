"""Silences: which alerts are told to nobody, from when to when, and what each of them hid.

A silence ends early, it is never deleted. What it hid is noted with the alert that it keeps quiet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, delete, func, or_, select, update

from alerts.hours import Hours
from alerts.model import Alert, Notification, Severity, Silence, State
from alerts.reminders import Hidden, Reminder
from monitor.clock import from_us, to_us
from monitor.store.control.bodies import reader
from monitor.store.control.engine import Tx, insert_missing, read, tally
from monitor.store.control.leases import leading
from monitor.store.control.notifications import enqueue
from monitor.store.control.schema import hidden, silence

MUTED = "silence:"
_read_hours = reader(Hours)


@dataclass(frozen=True, slots=True)
class Silences:
    engine: Engine

    def get(self, id: str) -> Silence | None:
        with read(self.engine) as tx:
            row = tx.execute(select(silence).where(silence.c.id == id)).one_or_none()
        return None if row is None else _silence(row)

    def current(self, now: datetime) -> Sequence[Silence]:
        """Those that have not ended, coming ones included; the next to end first."""
        with read(self.engine) as tx:
            rows = tx.execute(
                select(silence).where(silence.c.ends_us > to_us(now)).order_by(silence.c.ends_us).limit(1000)
            ).all()
        return [_silence(row) for row in rows]

    def history(self, limit: int = 100) -> Sequence[Silence]:
        """All of them, the latest to end first."""
        with read(self.engine) as tx:
            rows = tx.execute(select(silence).order_by(silence.c.ends_us.desc()).limit(limit)).all()
        return [_silence(row) for row in rows]

    def add(self, tx: Tx, one: Silence, at: datetime) -> bool:
        """Whether it was new; one of its id, ended or not, stays as it is."""
        return insert_missing(
            tx,
            silence,
            {
                "id": one.id,
                "matchers": dict(one.matchers),
                "starts_us": to_us(one.starts_at),
                "ends_us": to_us(one.ends_at),
                "created_by": one.created_by,
                "comment": one.comment,
                "created_us": to_us(at),
                "hours": msgspec.to_builtins(one.hours),
            },
        )

    def expire(self, tx: Tx, id: str, at: datetime, by: str) -> bool:
        """Ends it now; False when there is none that has not ended."""
        live = update(silence).where(silence.c.id == id, silence.c.ends_us > to_us(at))
        return tx.execute(live.values(ends_us=to_us(at), expired_by=by)).rowcount == 1

    def hid(self, ids: Iterable[str]) -> Mapping[str, int]:
        """How many firings each of them has kept quiet; those that hid nothing are left out."""
        counted = (
            select(hidden.c.silence_id, func.count())
            .where(hidden.c.silence_id.in_(list(ids)))
            .group_by(hidden.c.silence_id)
        )
        with read(self.engine) as tx:
            return dict(tally(tx, counted))

    def hidden(self, id: str, limit: int = 200) -> Sequence[Hidden]:
        """The firings it has kept quiet, the latest first."""
        wanted = select(hidden).where(hidden.c.silence_id == id)
        with read(self.engine) as tx:
            rows = tx.execute(wanted.order_by(hidden.c.at_us.desc()).limit(limit)).all()
        return [
            Hidden(
                row.fingerprint,
                row.episode,
                row.rule,
                Severity(row.severity),
                row.summary,
                from_us(row.at_us),
            )
            for row in rows
        ]

    def unreported(self, since: datetime, until: datetime) -> Sequence[tuple[Silence, bool]]:
        """(silence, whether its author was warned) of those that end between, and of which the author has not
        heard everything. One that a person ended needs no word."""
        between = (silence.c.ends_us > to_us(since), silence.c.ends_us <= to_us(until))
        unsaid = or_(silence.c.warned_us.is_(None), silence.c.closed_us.is_(None))
        wanted = select(silence).where(*between, unsaid, silence.c.expired_by.is_(None))
        with read(self.engine) as tx:
            rows = tx.execute(wanted.order_by(silence.c.ends_us).limit(200)).all()
        return [(_silence(row), row.warned_us is not None) for row in rows]

    def reported(
        self, id: str, reminder: Reminder, notifications: Sequence[Notification], at: datetime, epoch: int
    ) -> bool:
        """Notes that the author is told, with what is due for it; False when that was noted before."""
        said = silence.c.warned_us if reminder is Reminder.ENDS_SOON else silence.c.closed_us
        noted = update(silence).where(silence.c.id == id, said.is_(None)).values({said: to_us(at)})
        with leading(self.engine, epoch) as tx:
            if tx.execute(noted).rowcount != 1:
                return False
            enqueue(tx, notifications)
        return True

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes what was hidden before, of silences and windows alike; how many."""
        old = delete(hidden).where(hidden.c.at_us < to_us(before))
        with leading(self.engine, epoch) as tx:
            return tx.execute(old).rowcount


def note_hidden(tx: Tx, one: Alert) -> None:
    """Notes once, in the transaction that stores the alert, that a silence keeps this firing quiet."""
    if one.state is not State.FIRING or one.muted_by is None or not one.muted_by.startswith(MUTED):
        return
    insert_missing(
        tx,
        hidden,
        {
            "silence_id": one.muted_by.removeprefix(MUTED),
            "fingerprint": one.fingerprint,
            "episode": one.episode,
            "rule": one.rule,
            "severity": one.severity.value,
            "summary": one.evidence.summary,
            "at_us": to_us(one.last_evaluated_at),
        },
    )


def _silence(row: Row[Any]) -> Silence:
    return Silence(
        row.id,
        row.matchers,
        from_us(row.starts_us),
        from_us(row.ends_us),
        row.created_by,
        row.comment,
        None if row.hours is None else _read_hours(row.hours),
    )
