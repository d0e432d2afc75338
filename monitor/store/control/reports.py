"""Reports as they were sent: their figures stay what they were, whatever the facts say later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select, update

from monitor.clock import from_us, to_us
from monitor.store.control.engine import insert_missing, read
from monitor.store.control.leases import leading
from monitor.store.control.schema import report


@dataclass(frozen=True, slots=True)
class Report:
    """period: such as 2026-W47, in the time zone. as_of: what the facts were when it was made."""

    id: str
    kind: str
    period: str
    timezone: str
    environment: str
    as_of: datetime
    figures: Mapping[str, Any]
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reports:
    engine: Engine

    def keep(self, one: Report, epoch: int) -> bool:
        """Stores it; False, with the first one kept, when that period has one already."""
        row = {
            "id": one.id,
            "kind": one.kind,
            "period": one.period,
            "timezone": one.timezone,
            "environment": one.environment,
            "as_of_us": to_us(one.as_of),
            "figures": dict(one.figures),
        }
        with leading(self.engine, epoch) as tx:
            return insert_missing(tx, report, row)

    def sent(self, id: str, at: datetime, epoch: int) -> bool:
        """Notes that it went out; False when that was noted before."""
        unsent = update(report).where(report.c.id == id, report.c.sent_us.is_(None))
        with leading(self.engine, epoch) as tx:
            return tx.execute(unsent.values(sent_us=to_us(at))).rowcount == 1

    def find(self, kind: str, period: str, timezone: str, environment: str) -> Report | None:
        with read(self.engine) as tx:
            row = tx.execute(
                select(report).where(
                    report.c.kind == kind,
                    report.c.period == period,
                    report.c.timezone == timezone,
                    report.c.environment == environment,
                )
            ).one_or_none()
        return None if row is None else _report(row)

    def latest(self, limit: int = 60) -> Sequence[Report]:
        """Newest first."""
        with read(self.engine) as tx:
            rows = tx.execute(select(report).order_by(report.c.as_of_us.desc()).limit(limit)).all()
        return [_report(row) for row in rows]


def _report(row: Row[Any]) -> Report:
    return Report(
        row.id,
        row.kind,
        row.period,
        row.timezone,
        row.environment,
        from_us(row.as_of_us),
        row.figures,
        None if row.sent_us is None else from_us(row.sent_us),
    )
