"""The control store as portable rows, in one snapshot, on either database.

Sessions are not carried: whoever was signed in signs in again, and a session that was ended since does not
come back to life. A table that the schema does not name refuses the dump.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, inspect, select

from monitor.errors import WrongSchema
from monitor.store.control.engine import Tx, open_engine, read, sqlite_path
from monitor.store.control.migrations import head, require_head
from monitor.store.control.schema import letter_capture, metadata, session
from monitor.store.portable import Row, Table
from monitor.store.sqlite_copy import private_copy

NOT_CARRIED = frozenset({session.name, "alembic_version"})
TABLES = tuple(
    Table(str(table.name), tuple(str(column.name) for column in table.columns))
    for table in metadata.sorted_tables
    if table.name not in NOT_CARRIED
)
"""In an order in which every row comes after those it refers to."""


def rows_at_once(table: Table) -> int:
    """How many rows of the table may be in memory: a captured event may have megabytes."""
    return 10 if table.name == letter_capture.name else 500


@contextmanager
def dumping(url: str, workspace: Path) -> Iterator["ControlDump"]:
    """The store in one snapshot. workspace: a directory of this user's own, with room for a copy of a file.

    A SQLite file is copied first: control keeps a rollback journal, so that whoever reads it for long keeps
    everybody else from writing.
    """
    path = sqlite_path(url)
    if path is None:
        with _snapshot(url) as tx:
            yield ControlDump(tx, "postgresql")
        return
    if not path.exists():
        raise WrongSchema(f"there is no control store at {path}", "run `hookvitals db upgrade`")
    copy = workspace / "control.copy"
    with private_copy(path, copy), _snapshot(f"sqlite:///{copy.absolute()}") as tx:
        yield ControlDump(tx, "sqlite")


@contextmanager
def _snapshot(url: str) -> Iterator[Tx]:
    engine = open_engine(url)
    try:
        require_head(engine)
        with read(engine) as tx:
            if tx.dialect.name == "postgresql":  # a disk that stalls does not end it
                tx.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 600000")
            yield tx
    finally:
        engine.dispose()


class ControlDump:
    """A Dump."""

    tables: Sequence[Table] = TABLES
    about: Mapping[str, str | int] = {}

    def __init__(self, tx: Tx, kind: str) -> None:
        """Raises WrongSchema for a store with a table that a backup would leave out."""
        self.kind = kind
        self.schema = head()
        self._tx = tx
        strange = set(inspect(tx).get_table_names()) - {table.name for table in TABLES} - NOT_CARRIED
        if strange:
            raise WrongSchema(
                f"the control store has tables that a backup does not know: {', '.join(sorted(strange))}",
                "keep other tables in another database",
            )

    def rows(self, table: Table) -> Iterator[Row]:
        stored = metadata.tables[table.name]
        chosen = select(*(stored.c[name] for name in table.columns)).order_by(*stored.primary_key)
        for row in self._tx.execution_options(yield_per=rows_at_once(table)).execute(chosen):
            yield tuple(row)

    def estimate(self) -> int:
        counted = (select(func.count()).select_from(metadata.tables[table.name]) for table in TABLES)
        return sum(int(self._tx.scalar(one) or 0) for one in counted)
