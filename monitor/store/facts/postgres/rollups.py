"""Rows of rollups and deltas out of PostgreSQL."""

from collections.abc import Sequence

from monitor.store.facts.postgres.rows import rows
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.rollup_rows import Packed
from monitor.store.facts.spans import Span

# each max() is one step down the primary key, taken only where the one before found nothing
_LAST = """
    SELECT code, coalesce(
        (SELECT max(start) FROM facts.rollup WHERE series = code AND grain = 0),
        (SELECT max(start) FROM facts.rollup WHERE series = code AND grain = 1),
        (SELECT max(start) FROM facts.rollup WHERE series = code AND grain = 2))
    FROM unnest(%s::integer[]) AS wanted (code)"""


class PostgresRollups:
    """RollupTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def stored(self, codes: Sequence[int], span: Span, columns: Sequence[str]) -> Sequence[Packed]:
        """By the primary key (series, grain, start): one range a series."""
        grain, start, end = span
        return rows(
            self._db,
            f"SELECT series, grain, start, {', '.join(columns)} FROM facts.rollup"  # noqa: S608
            " WHERE series = ANY(%s::integer[]) AND grain = %s AND start >= %s AND start < %s",
            list(codes),
            int(grain),
            start,
            end,
        )

    def pending(self) -> bytes:
        return b"".join(items for (items,) in rows(self._db, "SELECT items FROM facts.delta"))

    def last_starts(self, codes: Sequence[int]) -> dict[int, int]:
        return {code: start for code, start in rows(self._db, _LAST, list(codes)) if start is not None}
