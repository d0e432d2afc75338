"""Rows of series and error classes out of PostgreSQL."""

from collections.abc import Iterable, Sequence

from monitor.store.facts.postgres.rows import is_text, rows
from monitor.store.facts.postgres.server import Connection


class PostgresNames:
    """NameTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def series_above(self, code: int) -> Iterable[tuple[int, int, str, str, str, str, int]]:
        return rows(
            self._db,
            "SELECT code, parent, environment, source, endpoint, event_type, first_seen_us FROM facts.series"
            " WHERE code > %s",  # the primary key
            code,
        )

    def error_names(self, codes: Sequence[int]) -> Iterable[tuple[int, str]]:
        return rows(self._db, "SELECT code, name FROM facts.error_class WHERE code = ANY(%s)", list(codes))

    def error_codes(self, name: str) -> list[int]:
        if not is_text(name):
            return []
        # walks the table: 200 rows an endpoint at most
        found = rows(self._db, "SELECT code FROM facts.error_class WHERE name = %s", name)
        return [code for (code,) in found]
