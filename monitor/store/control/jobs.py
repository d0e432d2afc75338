"""How the worker's scheduled jobs fare: each one's last success and last failure. It runs none of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from monitor.clock import from_us, to_us
from monitor.store.control.engine import read, upsert
from monitor.store.control.leases import leading
from monitor.store.control.schema import job


@dataclass(frozen=True, slots=True)
class JobState:
    """error: of the last run; empty when that succeeded."""

    name: str
    succeeded_at: datetime | None
    took_s: float | None
    failed_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Jobs:
    engine: Engine

    def succeeded(self, name: str, at: datetime, took_s: float, epoch: int) -> None:
        row = {"name": name, "succeeded_us": to_us(at), "took_ms": round(took_s * 1000), "error": None}
        with leading(self.engine, epoch) as tx:
            upsert(tx, job, row)

    def failed(self, name: str, at: datetime, error: str, epoch: int) -> None:
        with leading(self.engine, epoch) as tx:
            upsert(tx, job, {"name": name, "failed_us": to_us(at), "error": error[:2000]})

    def all(self) -> Sequence[JobState]:
        """By name."""
        with read(self.engine) as tx:
            rows = tx.execute(select(job).order_by(job.c.name)).all()
        return [
            JobState(
                row.name,
                None if row.succeeded_us is None else from_us(row.succeeded_us),
                None if row.took_ms is None else row.took_ms / 1000,
                None if row.failed_us is None else from_us(row.failed_us),
                row.error or "",
            )
            for row in rows
        ]
