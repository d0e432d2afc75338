"""The way to one PostgreSQL: a bounded pool, two kinds of transaction, and errors in our own words.

Works through a pooler in transaction mode: nothing is kept in a session, no statement is prepared, and every
setting is local to its transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from monitor.errors import HookvitalsError, StoreFull, Unavailable, WrongSchema

UPGRADE_HINT = "run `hookvitals db upgrade`"
WAIT_S = 5.0
"""How long a caller waits for a free connection, and a connection attempt may take."""
READ_TIMEOUT_MS = 30_000
WRITE_TIMEOUT_MS = 30_000

Connection = psycopg.Connection[tuple[object, ...]]


class Contended(Unavailable):
    """Two transactions stood in each other's way: done again, the same work may well succeed."""


DATA_ERRORS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    errors.ProgramLimitExceeded,
    OverflowError,
    UnicodeError,
    ValueError,
    TypeError,
)
"""What a value that cannot be stored raises; the fault of the record, not of the server."""

_CONTENDED = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


class Server:
    """Connections to one database, at most `connections` at once; safe to share between threads.

    The first is made when it is needed.
    """

    def __init__(self, url: str, connections: int = 4) -> None:
        """url: `postgresql://…`, as libpq reads it."""
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=connections,
            open=False,
            timeout=WAIT_S,
            reconnect_timeout=WAIT_S,  # the pauses between tries grow; the next caller begins anew
            check=ConnectionPool.check_connection,  # one that died with a restarted server is replaced
            kwargs={
                "autocommit": True,
                "prepare_threshold": None,
                "connect_timeout": int(WAIT_S),
                "application_name": "hookvitals",
            },
        )
        self._pool.open(wait=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection inside one read-only snapshot."""
        settings = {"statement_timeout": READ_TIMEOUT_MS}
        with self.plain() as db, self._transaction(db, "REPEATABLE READ READ ONLY", settings):
            yield db

    @contextmanager
    def write(self, lock_timeout_ms: int = 0) -> Iterator[Connection]:
        """A connection inside one transaction: committed at the end of the block, undone when it raises.

        lock_timeout_ms: how long a statement waits for a lock before it raises Contended; 0 as long as it
        may run. DATA_ERRORS come out as they are; everything else that a server can do as one of our own.
        """
        settings = {
            "statement_timeout": WRITE_TIMEOUT_MS,
            "idle_in_transaction_session_timeout": WRITE_TIMEOUT_MS,  # ours died: its locks go
            "lock_timeout": lock_timeout_ms,
        }
        # each statement sees what was committed before it, and so what a lock before it waited for
        with self.plain() as db, self._transaction(db, "READ COMMITTED READ WRITE", settings):
            yield db

    @contextmanager
    def plain(self) -> Iterator[Connection]:
        """A connection without a transaction, for statements that must stand alone."""
        try:
            with self._pool.connection() as db:
                yield db
        except PoolTimeout as exc:
            raise Unavailable("PostgreSQL does not answer", "see its log", retry_after_s=2) from exc
        except DATA_ERRORS:
            raise
        except psycopg.Error as exc:
            raise translated(exc) from exc

    @contextmanager
    def _transaction(self, db: Connection, mode: str, settings: Mapping[str, int]) -> Iterator[None]:
        # compiling a query pays where it runs for seconds; a day that was never analyzed is taken for one
        local = {**settings, "jit": "off"}
        db.execute(
            f"BEGIN ISOLATION LEVEL {mode}"
            + "".join(f"; SET LOCAL {name} = {value}" for name, value in local.items())
        )
        try:
            yield
        except BaseException:
            if not db.closed:
                db.rollback()
            raise
        db.execute("COMMIT")

    def close(self) -> None:
        self._pool.close()


def translated(exc: psycopg.Error) -> HookvitalsError:
    """The same trouble in our words; the driver's text may name hosts, never passwords."""
    text = str(exc).strip().split("\n")[0]
    if isinstance(exc, _CONTENDED):
        return Contended(f"PostgreSQL cannot do it now: {text}", "send it again", retry_after_s=2)
    if isinstance(exc, errors.DiskFull):
        return StoreFull("PostgreSQL has no room left", "make room on its disk", retry_after_s=30)
    if isinstance(exc, errors.UndefinedTable | errors.InvalidSchemaName | errors.UndefinedColumn):
        return WrongSchema(f"the facts in PostgreSQL are of another version: {text}", UPGRADE_HINT)
    return Unavailable(f"PostgreSQL cannot do it now: {text}", "send it again", retry_after_s=2)
