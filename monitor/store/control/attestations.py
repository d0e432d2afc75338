"""Items of the checklists that a person answers for, by endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select

from monitor.checklist import Attestation
from monitor.clock import from_us, to_us
from monitor.model import SeriesKey
from monitor.store.control.engine import Tx, read, upsert
from monitor.store.control.schema import attestation


@dataclass(frozen=True, slots=True)
class Attestations:
    engine: Engine

    def put(self, tx: Tx, place: SeriesKey, one: Attestation) -> None:
        """The latest word on an item stands."""
        row = {
            "environment": place.environment,
            "source": place.source,
            "endpoint": place.endpoint,
            "item": one.item,
            "by": one.by,
            "at_us": to_us(one.at),
            "note": one.note,
        }
        upsert(tx, attestation, row)

    def of(self, place: SeriesKey) -> Mapping[str, Attestation]:
        """By item."""
        wanted = select(attestation).where(
            attestation.c.environment == place.environment,
            attestation.c.source == place.source,
            attestation.c.endpoint == place.endpoint,
        )
        with read(self.engine) as tx:
            rows = tx.execute(wanted).all()
        return {row.item: Attestation(row.item, row.by, from_us(row.at_us), row.note) for row in rows}
