"""How a flood of rejections is kept bounded without losing a count: bare rows become sums, ten minutes later.

A rejection over its bound a minute is stored *bare*: without texts, only so that a second copy of it is
known. Its minute is noted as due; when that time comes each bare row is deleted in the transaction that adds
what it counted to `thinned`, so that rollups + deltas = a recount of the records + thinned in every snapshot.
From then on a copy cannot be told from a new record: rejections of a (route, minute) that was thinned are
refused. Pure: here is what every SQL store does alike; their own files hold the statements.
"""

from collections.abc import Mapping, Sequence

from monitor.model import Outcome
from monitor.rollup import Buckets, combined, fold, rollups
from monitor.store.facts.detail import decode
from monitor.store.facts.protocol import Batch
from monitor.store.facts.record_rows import MINUTE_US, Row, deltas_of
from monitor.store.facts.rollup_rows import Packed, buckets_of, rows_of

AFTER_US = 10 * MINUTE_US
"""How long after its minute, and after its arrival, a copy of a bare row is still known as one."""

Place = tuple[int, int]
"""(route, minute since 1970)."""


def due_minutes(batches: Sequence[Batch], now_us: int) -> dict[int, int]:
    """The minutes in which these batches hold bare rows, and when each is due."""
    minutes = {int(batch.deltas["minute"][place]) for batch in batches for place in batch.bare}
    return {minute: max((minute + 1) * MINUTE_US, now_us) + AFTER_US for minute in sorted(minutes)}


def rejections(batch: Batch) -> Mapping[Place, Sequence[int]]:
    """Where the batch's rejections are, by route and minute: few places however many rows."""
    found: dict[Place, list[int]] = {}
    rejected = batch.deltas["outcome"] == Outcome.REJECTED.code
    if rejected.any():
        for index in rejected.nonzero()[0].tolist():
            item = batch.deltas[index]
            found.setdefault((int(item["route"]), int(item["minute"])), []).append(index)
    return found


def are_thinned(packed: Packed) -> bool:
    """Whether records of this place were thinned; a place may hold no more than what others received then."""
    (found,) = rollups(buckets_of([packed])).values()
    return found.records() > 0


def bare(rows: Sequence[Row]) -> list[Row]:
    """Those of the rows that were stored bare."""
    return [row for row in rows if decode(row[8]).bare]


def counted(rows: Sequence[Row]) -> Buckets:
    """What these rows counted: minutes of their routes."""
    return fold(deltas_of(rows))


def added(buckets: Buckets, stored: Sequence[Packed]) -> list[Packed]:
    """Rows of `thinned` with the buckets added to what is stored of the same places."""
    return rows_of(combined([buckets_of(stored), buckets]) if stored else buckets)
