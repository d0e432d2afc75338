"""The facts in PostgreSQL as portable rows, out of one read-only snapshot: collectors go on meanwhile.

The server holds the rows and gives them out a few at a time. The snapshot keeps vacuum from what is deleted
after it began, for as long as the dump takes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain

from monitor.store.facts.portable import DELTA_BLOB, FLOOR, STORE_ID, TABLES, delta_rows, require_known
from monitor.store.facts.postgres.rows import rows
from monitor.store.facts.postgres.server import Connection, Server
from monitor.store.facts.postgres.setup import require_version, version_of
from monitor.store.portable import Row, Table

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "feed": frozenset({"seq", "xid", "fed_at_us"}),
    "delta": frozenset({"seq", DELTA_BLOB}),
}
NOT_CARRIED = frozenset({"meta"})

_ORDER = {"feed": "xid, seq", "delta": "seq", "series": "code", "record": "record_id"}
_EXPRESSIONS = {
    "record_id": "uuid_send(record_id)",
    "after": "uuid_send(after)",
    "redacted": "redacted::integer",
}
_ROWS_AT_ONCE, _CAPTURES_AT_ONCE = 5_000, 50
"""Fewer where a row may have megabytes."""

# every order asked for is that of an index, whatever the planner knows of a store that was never analyzed
_PATIENTLY = "SET LOCAL enable_sort = off; SET LOCAL statement_timeout = 600000"
_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'facts'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped"""
_ESTIMATE = """
    SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
    WHERE relnamespace = 'facts'::regnamespace AND relkind = 'r'"""


@contextmanager
def dumping(url: str) -> Iterator["PostgresFactsDump"]:
    """The facts at `url` in one snapshot. Raises WrongSchema for facts of another version, or with a table
    that a backup would leave out."""
    with closing(Server(url, connections=1)) as server, server.read() as db:
        require_version(db)
        found: dict[str, set[str]] = {}
        for table, column in rows(db, _COLUMNS):
            found.setdefault(table, set()).add(column)
        require_known(found, LEFT_OUT, NOT_CARRIED)
        db.execute(_PATIENTLY)
        yield PostgresFactsDump(db)


class PostgresFactsDump:
    """A Dump."""

    kind = "postgresql"
    tables: Sequence[Table] = TABLES

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.schema = str(version_of(db))
        found = dict(rows(db, "SELECT key, value FROM facts.meta"))
        self.about: Mapping[str, str | int] = {
            STORE_ID: str(found[STORE_ID]),
            FLOOR: int(found[FLOOR]),
        }

    def rows(self, table: Table) -> Iterator[Row]:
        found = self._stored(table)
        return chain.from_iterable(delta_rows(row[0]) for row in found) if table.name == "delta" else found

    def _stored(self, table: Table) -> Iterator[Row]:
        columns = (DELTA_BLOB,) if table.name == "delta" else table.columns
        chosen = ", ".join(_EXPRESSIONS.get(column, column) for column in columns)
        order = f" ORDER BY {_ORDER[table.name]}" if table.name in _ORDER else ""
        at_once = _CAPTURES_AT_ONCE if table.name == "capture" else _ROWS_AT_ONCE
        with self._db.cursor("dumped", binary=True) as cursor:
            cursor.execute(f"SELECT {chosen} FROM facts.{table.name}{order}")  # noqa: S608  # our own names
            while some := cursor.fetchmany(at_once):
                yield from some

    def estimate(self) -> int:
        return int(rows(self._db, _ESTIMATE)[0][0])
