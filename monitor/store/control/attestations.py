"""Items of the checklists that a person answers for, by endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, delete, select

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
            "until_us": to_us(one.until),
            "note": one.note,
        }
        upsert(tx, attestation, row)

    def withdraw(self, tx: Tx, place: SeriesKey, item: str) -> bool:
        """Whether there was one, ended or not."""
        gone = delete(attestation).where(*_at(place), attestation.c.item == item)
        return tx.execute(gone).rowcount == 1

    def of(self, place: SeriesKey) -> Mapping[str, Attestation]:
        """By item; those that have ended too."""
        with read(self.engine) as tx:
            rows = tx.execute(select(attestation).where(*_at(place))).all()
        return {row.item: _attestation(row) for row in rows}


def _at(place: SeriesKey) -> Sequence[ColumnElement[bool]]:
    """Of the primary key."""
    return (
        attestation.c.environment == place.environment,
        attestation.c.source == place.source,
        attestation.c.endpoint == place.endpoint,
    )


def _attestation(row: Row[Any]) -> Attestation:
    return Attestation(row.item, row.by, from_us(row.at_us), row.note, from_us(row.until_us))
