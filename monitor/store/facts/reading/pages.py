"""A page of records, newest first, within a bound on the rows looked at.

A page is read in one or more *lanes*, each a stretch of one index walked downwards by record id: the primary
key, or the index of troubled records once per wanted outcome. No lane ever sorts; walking one is the
database's (LaneTable).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from monitor.model import TROUBLED, Outcome
from monitor.store.facts.protocol import RecordFilter
from monitor.store.facts.reading.series import NameTable, Series
from monitor.store.facts.record_rows import Row, first_id_at

LAST_ID = b"\xff" * 16
ROWS_SCANNED = 50_000
"""Rows a lane looks at in one call: 20 to 60 ms, whatever the filter."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Record ids in [first, before), and what a row must be; an empty part matches all."""

    first: bytes
    before: bytes
    routes: Sequence[int] | None = None
    outcomes: Sequence[Outcome] = ()
    errors: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """Record ids in [first, before) of one index, and what a row walked must be to be shown."""

    first: bytes
    before: bytes
    outcome: Outcome | None
    """Of the index of troubled records; None: the primary key."""
    tests: Sequence[tuple[str, Sequence[int]]]
    """(column, the codes it may have): any number of codes, and all tests must hold."""


class LaneTable(Protocol):
    """The records of one snapshot, walked lane by lane."""

    def shown(self, lane: Lane, limit: int, scanned: int) -> list[Row]:
        """The first `limit` rows that hold the tests among the first `scanned` of the lane, newest first."""

    def last_walked(self, lane: Lane, scanned: int) -> bytes | None:
        """The id of the row `scanned` of the lane, tests or not; None when the lane ends before it."""


def bounds_of(names: NameTable, series: Series, wanted: RecordFilter, before: UUID | None) -> Bounds | None:
    """What the filter means in codes and ids; None when nothing can match."""
    first = first_id_at(wanted.since_us or 0)
    last = LAST_ID if wanted.until_us is None else first_id_at(wanted.until_us)
    if before is not None:
        last = min(last, before.bytes)
    routes: Sequence[int] | None = None
    if any((wanted.environment, wanted.source, wanted.endpoint, wanted.event_type)):
        routes = series.routes(wanted.environment, wanted.source, wanted.endpoint, wanted.event_type)
    errors = None if wanted.error_class is None else names.error_codes(wanted.error_class)
    if first >= last or routes == [] or errors == []:
        return None
    return Bounds(first, last, routes, tuple(wanted.outcomes), errors)


def read_page(
    table: LaneTable, bounds: Bounds, limit: int, scanned: int = ROWS_SCANNED
) -> tuple[list[Row], bytes | None]:
    """At most `limit` matching rows, newest first, and the id before which the next page starts."""
    walked = [_walked(table, lane, limit, scanned) for lane in _lanes(bounds)]
    reached = max((stop for _, stop in walked if stop is not None), default=None)
    rows = sorted((row for found, _ in walked for row in found), key=lambda row: bytes(row[0]), reverse=True)
    if reached is not None:  # below this, some lane has not looked
        rows = [row for row in rows if row[0] >= reached]
    if len(rows) > limit:
        return rows[:limit], rows[limit - 1][0]
    return rows, reached


def _lanes(bounds: Bounds) -> list[Lane]:
    troubled = bool(bounds.outcomes) and set(bounds.outcomes) <= set(TROUBLED)
    outcomes = [outcome.code for outcome in bounds.outcomes]
    columns: list[tuple[str, Sequence[int] | None]] = [
        ("route", bounds.routes),
        ("outcome", None if troubled else outcomes or None),  # the index has looked already
        ("error", bounds.errors),
    ]
    tests = [(column, codes) for column, codes in columns if codes is not None]
    indexed: list[Outcome | None] = [*sorted(set(bounds.outcomes))] if troubled else [None]
    return [Lane(bounds.first, bounds.before, outcome, tests) for outcome in indexed]


def _walked(table: LaneTable, lane: Lane, limit: int, scanned: int) -> tuple[list[Row], bytes | None]:
    """Matching rows of one lane (one over `limit` if there are), and the last id looked at if it stopped."""
    rows = table.shown(lane, limit + 1, scanned)
    if len(rows) > limit:
        return rows, rows[-1][0]
    return rows, table.last_walked(lane, scanned)
