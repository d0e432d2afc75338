"""The fold on PostgreSQL: deltas out of their table, their sums into the rollups of all four grains.

Runs inside the caller's transaction, which holds the lock of the fold: a crash leaves either the delta or the
rollup, never both or none.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from monitor.rollup import DELTA, Buckets, combined, spread
from monitor.rollup import fold as folded
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.rollup_rows import COLUMNS, buckets_of, rows_of

_BLOBS = ", ".join(COLUMNS)
# only names of columns are formatted into these
_TAKE = (
    "DELETE FROM facts.delta WHERE seq IN ("
    " SELECT seq FROM ("
    " SELECT seq, sum(length(items)) OVER (ORDER BY seq) - length(items) AS before"
    " FROM (SELECT seq, items FROM facts.delta ORDER BY seq LIMIT 20000) oldest) sized"  # the primary key
    " WHERE before < %s) RETURNING items"
)
# LIMIT makes it one look into the primary key a row, whatever the planner believes of the table
_STORED = (
    f"SELECT r.series, r.grain, r.start, {_BLOBS}"  # noqa: S608
    " FROM unnest(%b::int[], %b::int[]) AS wanted (series, start), LATERAL ("
    " SELECT * FROM facts.rollup"
    " WHERE series = wanted.series AND grain = %s AND start = wanted.start LIMIT 1) AS r"
)
_PUT = (
    f"INSERT INTO facts.rollup (series, grain, start, {_BLOBS})"  # noqa: S608
    f" VALUES (%b, %b, %b{', %b' * len(COLUMNS)}) ON CONFLICT (series, grain, start) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
)


def fold(db: Connection, parents: dict[int, int], items: int) -> int:
    """Takes the oldest deltas, about `items` items at most; how many it took.

    parents: series code → code one level up, as far as known; is added to.
    """
    blobs = _rows(db, _TAKE, items * DELTA.itemsize)
    deltas = np.frombuffer(b"".join(blob for (blob,) in blobs), dtype=DELTA)
    if not len(deltas):
        return 0
    _learn(db, parents)
    for buckets in spread(folded(deltas), parents):
        _add(db, buckets)
    return len(deltas)


def _learn(db: Connection, parents: dict[int, int]) -> None:
    """The series that collectors have made since: those of a delta were committed before it."""
    newer = "SELECT code, parent FROM facts.series WHERE code > %s"  # the primary key
    parents.update(_rows(db, newer, max(parents, default=0)))


def _add(db: Connection, new: Buckets) -> None:
    stored = _rows(db, _STORED, new.series.tolist(), new.start.tolist(), int(new.grain))
    merged = combined([buckets_of(stored), new]) if stored else new
    with db.cursor() as cursor:
        cursor.executemany(_PUT, sorted(rows_of(merged), key=itemgetter(0, 1, 2)))


def _rows(db: Connection, statement: str, *values: object) -> Sequence[tuple[Any, ...]]:
    return db.cursor(binary=True).execute(statement, values).fetchall()
