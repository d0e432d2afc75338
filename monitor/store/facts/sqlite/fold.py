"""The fold on SQLite: deltas out of their table, their sums into the rollups of all four grains, their events
into a run of the event index.

Runs inside the caller's transaction, so a crash leaves either the delta or the rollup, never both or none.
"""

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np

from monitor.model import Grain
from monitor.rollup import DELTA, Buckets, combined, spread
from monitor.rollup import fold as folded
from monitor.store.facts.rollup_rows import COLUMNS, buckets_of, rows_of
from monitor.store.facts.sqlite.event_entries import entries_of
from monitor.store.facts.sqlite.event_runs import add_run

_KEYS_A_QUERY = 200


def fold(db: sqlite3.Connection, parents: Mapping[int, int], items: int) -> int:
    """Takes the oldest deltas, about `items` items at most; how many it took.

    parents: series code → code one level up.
    """
    last = _last_taken(db, items)
    blobs = [row[0] for row in db.execute("SELECT items FROM delta WHERE seq <= ? ORDER BY seq", (last,))]
    db.execute("DELETE FROM delta WHERE seq <= ?", (last,))  # RETURNING would copy them all once more
    deltas = np.frombuffer(b"".join(blobs), dtype=DELTA)
    if not len(deltas):
        return 0
    for buckets in spread(folded(deltas), parents):
        _add(db, buckets)
    add_run(db, entries_of(deltas))
    return len(deltas)


def _last_taken(db: sqlite3.Connection, items: int) -> int:
    total = last = 0
    for seq, length in db.execute("SELECT seq, length(items) FROM delta ORDER BY seq"):
        total += length // DELTA.itemsize
        if last and total > items:
            break
        last = seq
    return last


def _add(db: sqlite3.Connection, new: Buckets) -> None:
    keys = list(zip(new.series.tolist(), new.start.tolist(), strict=True))
    stored = [
        row
        for at in range(0, len(keys), _KEYS_A_QUERY)
        for row in _stored(db, new.grain, keys[at : at + _KEYS_A_QUERY])
    ]
    merged = combined([buckets_of(stored), new]) if stored else new
    db.executemany(_REPLACE, rows_of(merged))


def _stored(
    db: sqlite3.Connection, grain: Grain, keys: Sequence[tuple[int, int]]
) -> list[tuple[object, ...]]:
    marks = ",".join(["(?,?)"] * len(keys))
    # CROSS JOIN keeps the order: one search of the primary key a wanted row
    query = (
        f"WITH wanted (series, start) AS (VALUES {marks})"  # noqa: S608  # marks and column names only
        f" SELECT r.series, r.grain, r.start, {_BLOBS} FROM wanted CROSS JOIN rollup r"
        " ON r.series = wanted.series AND r.grain = ? AND r.start = wanted.start"
    )
    return db.execute(query, [part for key in keys for part in key] + [int(grain)]).fetchall()


_BLOBS = ", ".join(f"r.{name}" for name in COLUMNS)
_REPLACE = (
    f"INSERT OR REPLACE INTO rollup (series, grain, start, {', '.join(COLUMNS)})"  # noqa: S608  # column names
    f" VALUES (?, ?, ?, {', '.join('?' * len(COLUMNS))})"
)
