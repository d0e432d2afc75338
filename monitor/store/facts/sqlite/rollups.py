"""Rows of rollups and deltas out of a SQLite store."""

import sqlite3
from collections.abc import Sequence

from monitor.model import Grain
from monitor.store.facts.rollup_rows import Packed
from monitor.store.facts.spans import Span

_CODES_A_QUERY = 500


class SqliteRollups:
    """RollupTable of one snapshot."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def stored(self, codes: Sequence[int], span: Span, columns: Sequence[str]) -> Sequence[Packed]:
        """By the primary key (series, grain, start): one range a series."""
        grain, start, end = span
        rows: list[Packed] = []
        for i in range(0, len(codes), _CODES_A_QUERY):
            some = codes[i : i + _CODES_A_QUERY]
            rows += self._db.execute(
                f"SELECT series, grain, start, {', '.join(columns)} FROM rollup"  # noqa: S608
                f" WHERE series IN ({','.join('?' * len(some))}) AND grain = ? AND start >= ? AND start < ?",
                (*some, int(grain), start, end),
            ).fetchall()
        return rows

    def pending(self) -> bytes:
        return b"".join(items for (items,) in self._db.execute("SELECT items FROM delta"))

    def last_starts(self, codes: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for code in codes:
            for grain in (Grain.MINUTE, Grain.HOUR, Grain.DAY):
                row = self._db.execute(
                    "SELECT start FROM rollup WHERE series = ? AND grain = ? ORDER BY start DESC LIMIT 1",
                    (code, int(grain)),  # one step down the primary key
                ).fetchone()
                if row is not None:
                    found[code] = row[0]
                    break
        return found
