"""How many records of each minute were there when it was judged: what is stored beyond that came late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select

from monitor.clock import from_us, to_us
from monitor.store.control.engine import insert_missing, read
from monitor.store.control.leases import leading
from monitor.store.control.schema import seen_minute

Counts = Mapping[tuple[datetime, str], int]
"""(minute, environment) → records."""


@dataclass(frozen=True, slots=True)
class Minutes:
    engine: Engine

    def newest(self) -> datetime | None:
        """The latest minute that was noted."""
        with read(self.engine) as tx:
            newest = tx.execute(select(func.max(seen_minute.c.minute_us))).scalar()
        return None if newest is None else from_us(newest)

    def note(self, counts: Counts, epoch: int) -> None:
        """Remembers the counts; a minute that was noted before stays as it is."""
        with leading(self.engine, epoch) as tx:
            for (minute, environment), records in counts.items():
                row = {"minute_us": to_us(minute), "environment": environment, "records": records}
                insert_missing(tx, seen_minute, row)

    def seen(self, start_at: datetime, end_at: datetime) -> Counts:
        """Of the minutes in [start_at, end_at) that were noted."""
        chosen = select(seen_minute).where(
            seen_minute.c.minute_us >= to_us(start_at), seen_minute.c.minute_us < to_us(end_at)
        )
        with read(self.engine) as tx:
            rows = tx.execute(chosen).all()
        return {(from_us(row.minute_us), row.environment): row.records for row in rows}

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes what was noted of minutes before; how many."""
        with leading(self.engine, epoch) as tx:
            return tx.execute(delete(seen_minute).where(seen_minute.c.minute_us < to_us(before))).rowcount
