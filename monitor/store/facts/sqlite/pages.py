"""A page of records out of a SQLite store, newest first, within a bound on the rows looked at.

A page is read in one or more *lanes*, each a stretch of one index walked downwards by record id: the primary
key, or the index of troubled records once per wanted outcome. No lane ever sorts.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from monitor.model import TROUBLED, Outcome
from monitor.store.facts.protocol import RecordFilter
from monitor.store.facts.record_rows import COLUMNS, Row, first_id_at
from monitor.store.facts.sqlite.names import Series

LAST_ID = b"\xff" * 16
ROWS_SCANNED = 50_000
"""Rows a lane looks at in one call: 20 to 60 ms, whatever the filter."""

_LIST = ", ".join(COLUMNS)
_TROUBLED_CODES = ", ".join(str(outcome.code) for outcome in TROUBLED)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Record ids in [first, before), and what a row must be; an empty part matches all."""

    first: bytes
    before: bytes
    routes: Sequence[int] | None = None
    outcomes: Sequence[Outcome] = ()
    errors: Sequence[int] | None = None


def bounds_of(
    db: sqlite3.Connection, series: Series, wanted: RecordFilter, before: UUID | None
) -> Bounds | None:
    """What the filter means in codes and ids; None when nothing can match."""
    first = first_id_at(wanted.since_us or 0)
    last = LAST_ID if wanted.until_us is None else first_id_at(wanted.until_us)
    if before is not None:
        last = min(last, before.bytes)
    routes: Sequence[int] | None = None
    if any((wanted.environment, wanted.source, wanted.endpoint, wanted.event_type)):
        routes = series.routes(wanted.environment, wanted.source, wanted.endpoint, wanted.event_type)
    errors: Sequence[int] | None = None
    if wanted.error_class is not None:
        found = db.execute("SELECT code FROM error_class WHERE name = ?", (wanted.error_class,)).fetchall()
        errors = [code for (code,) in found]
    if first >= last or routes == [] or errors == []:
        return None
    return Bounds(first, last, routes, tuple(wanted.outcomes), errors)


def read_page(
    db: sqlite3.Connection, bounds: Bounds, limit: int, scanned: int = ROWS_SCANNED
) -> tuple[list[Row], bytes | None]:
    """At most `limit` matching rows, newest first, and the id before which the next page starts."""
    troubled = bool(bounds.outcomes) and set(bounds.outcomes) <= set(TROUBLED)
    indexed: list[Outcome | None] = [*sorted(set(bounds.outcomes))] if troubled else [None]
    lanes = [_lane(db, bounds, outcome, limit, scanned) for outcome in indexed]
    reached = max((stop for _, stop in lanes if stop is not None), default=None)
    rows = sorted((row for found, _ in lanes for row in found), key=lambda row: bytes(row[0]), reverse=True)
    if reached is not None:  # below this, some lane has not looked
        rows = [row for row in rows if row[0] >= reached]
    if len(rows) > limit:
        return rows[:limit], rows[limit - 1][0]
    return rows, reached


def _lane(
    db: sqlite3.Connection, bounds: Bounds, outcome: Outcome | None, limit: int, scanned: int
) -> tuple[list[Row], bytes | None]:
    """Matching rows of one lane (one over `limit` if there are), and the last id looked at if it stopped."""
    walk = "FROM record NOT INDEXED WHERE record_id < ? AND record_id >= ?"
    if outcome is not None:
        walk = (
            f"FROM record INDEXED BY record_trouble WHERE outcome = {outcome.code}"
            f" AND outcome IN ({_TROUBLED_CODES}) AND record_id < ? AND record_id >= ?"
        )
    walk += " ORDER BY record_id DESC"
    tests, values = _tests(bounds if outcome is None else _without_outcomes(bounds))
    rows = db.execute(
        f"SELECT {_LIST} FROM (SELECT {_LIST} {walk} LIMIT ?){tests} LIMIT ?",  # noqa: S608
        (bounds.before, bounds.first, scanned, *values, limit + 1),
    ).fetchall()
    if len(rows) > limit:
        return rows, rows[-1][0]
    last = db.execute(
        f"SELECT record_id {walk} LIMIT 1 OFFSET ?",
        (bounds.before, bounds.first, scanned - 1),
    ).fetchone()
    return rows, None if last is None else last[0]


def _without_outcomes(bounds: Bounds) -> Bounds:
    return Bounds(bounds.first, bounds.before, bounds.routes, (), bounds.errors)


def _tests(bounds: Bounds) -> tuple[str, list[str]]:
    """A WHERE clause over the rows walked, and its values."""
    columns: list[tuple[str, Sequence[int] | None]] = [
        ("route", bounds.routes),
        ("outcome", [outcome.code for outcome in bounds.outcomes] or None),
        ("error", bounds.errors),
    ]
    # Lists go as one JSON value each: a filter may stand for more routes than a statement may have marks.
    tests = [
        (f"{column} IN (SELECT value FROM json_each(?))", json.dumps(list(wanted)))  # noqa: S608
        for column, wanted in columns
        if wanted is not None
    ]
    if not tests:
        return "", []
    return " WHERE " + " AND ".join(text for text, _ in tests), [value for _, value in tests]
