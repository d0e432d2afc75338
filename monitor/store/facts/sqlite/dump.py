"""The SQLite facts as portable rows, out of a private copy: the writer goes on meanwhile, undisturbed."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from monitor.errors import WrongSchema
from monitor.store.facts.portable import DELTA_BLOB, FLOOR, STORE_ID, TABLES, delta_rows, require_known
from monitor.store.facts.sqlite.file import UPGRADE_HINT, require_version, version_of
from monitor.store.portable import Row, Table
from monitor.store.sqlite_copy import private_copy

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "feed": frozenset({"seq", "xid"}),
    "delta": frozenset({"seq", DELTA_BLOB}),
}
NOT_CARRIED = frozenset({"meta", "event_run", "event_block"})
"""Tables whose rows the store that takes a backup in makes for itself."""

_ORDER = {"feed": "seq", "delta": "seq", "series": "code"}


@contextmanager
def dumping(path: Path, workspace: Path) -> Iterator["SqliteFactsDump"]:
    """The store at `path` in one snapshot. workspace: a directory of this user's own, with room for a copy.

    Raises WrongSchema for a store of another version, or one with a table that a backup would leave out.
    """
    if not path.is_file():
        raise WrongSchema(f"there is no facts store at {path}", UPGRADE_HINT)
    with private_copy(path, workspace / "facts.copy") as db:
        require_version(db, path)
        require_known(_columns(db), LEFT_OUT, NOT_CARRIED)
        yield SqliteFactsDump(db)


class SqliteFactsDump:
    """A Dump."""

    kind = "sqlite"
    tables: Sequence[Table] = TABLES

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.schema = str(version_of(db))
        found = dict(db.execute("SELECT key, value FROM meta").fetchall())
        self.about: Mapping[str, str | int] = {
            STORE_ID: str(found[STORE_ID]),
            FLOOR: int(found[FLOOR]),
        }

    def rows(self, table: Table) -> Iterator[Row]:
        chosen = DELTA_BLOB if table.name == "delta" else ", ".join(table.columns)
        order = f" ORDER BY {_ORDER[table.name]}" if table.name in _ORDER else ""
        rows = self._db.execute(f"SELECT {chosen} FROM {table.name}{order}")  # noqa: S608  # our own names
        return chain.from_iterable(delta_rows(row[0]) for row in rows) if table.name == "delta" else rows

    def estimate(self) -> int:
        counts = (self._db.execute(f"SELECT count(*) FROM {table.name}") for table in TABLES)  # noqa: S608
        return sum(int(found.fetchone()[0]) for found in counts)


def _columns(db: sqlite3.Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in db.execute(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite@_%' ESCAPE '@'"
    ):
        found.setdefault(table, set()).add(column)
    return found
