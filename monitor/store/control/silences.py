"""Silences: which alerts are told to nobody, from when to when. A silence ends early, it is never deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from alerts.model import Silence
from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, read
from monitor.store.control.schema import silence


@dataclass(frozen=True, slots=True)
class Silences:
    engine: Engine

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

    def add(self, tx: Tx, one: Silence, at: datetime) -> None:
        tx.execute(
            insert(silence).values(
                id=one.id,
                matchers=dict(one.matchers),
                starts_us=to_us(one.starts_at),
                ends_us=to_us(one.ends_at),
                created_by=one.created_by,
                comment=one.comment,
                created_us=to_us(at),
            )
        )

    def expire(self, tx: Tx, id: str, at: datetime, by: str) -> bool:
        """Ends it now; False when there is none that has not ended."""
        live = update(silence).where(silence.c.id == id, silence.c.ends_us > to_us(at))
        return tx.execute(live.values(ends_us=to_us(at), expired_by=by)).rowcount == 1


def _silence(row: Row[Any]) -> Silence:
    return Silence(
        row.id, row.matchers, from_us(row.starts_us), from_us(row.ends_us), row.created_by, row.comment
    )
