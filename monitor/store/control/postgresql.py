"""What differs when control is in PostgreSQL: connections, how transactions begin, what errors say.

Works through a pooler in transaction mode: nothing is prepared or set for longer than a transaction.

Writes run one at a time, as SQLite's do, under one lock that a transaction holds until its end. Much of what
control writes follows from what it just read (the audit chain, a letter's standing, the number of a
configuration, how often a login was tried). SERIALIZABLE would keep that right as well, but only for blocks
that can be run again, which a `with` block cannot; a lock for each such row would have to be thought of anew
with each statement. Control is written some times a second: 8 threads got 1,400 writes a second through the
lock, 2,100 without it (2 cores, with fsync). Reads never wait.
"""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from monitor.errors import HookvitalsError, StoreFull, Unavailable, WrongSchema
from monitor.store.driver import require_driver

WAIT_S = 5
"""How long a connection, a free place in the pool, or the writers' lock is waited for."""
STATEMENT_MS = 30_000
IDLE_MS = 10_000
"""A process that freezes within a transaction loses it after this, and the lock with it."""
WRITERS_LOCK = 4_847_301_127
"""Any number that nothing else in the database locks."""
STORABLE = str.maketrans("\0", "\N{REPLACEMENT CHARACTER}")
"""PostgreSQL's text holds no NUL; a receiver's error message may."""

_READ = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; "
    f"SET LOCAL statement_timeout = {STATEMENT_MS}; "
    f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}"
)
_WRITE = (
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; "
    f"SET LOCAL lock_timeout = {WAIT_S * 1000}; "
    f"SET LOCAL statement_timeout = {STATEMENT_MS}; "
    f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}; "
    f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})"
)


def postgresql_engine(url: str, connections: int) -> Engine:
    """An engine of at most so many connections, made when they are needed. url: as libpq reads it."""
    require_driver()
    engine = create_engine(
        "postgresql+psycopg://",
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_S,
        pool_pre_ping=True,  # one that died with a restarted server is replaced
        pool_use_lifo=True,
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": WAIT_S,
            "application_name": "hookvitals control",
        },
    )

    def connect(_dialect: object, _record: object, arguments: list[str], _named: object) -> None:
        arguments[:] = [url]  # libpq's own reading of the URL, the same as for the facts

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "before_cursor_execute", _storable, retval=True)
    return engine


def begin_with(writes: bool) -> str:
    """The statements that open a transaction, in one round trip."""
    return _WRITE if writes else _READ


def trouble(exc: DBAPIError) -> HookvitalsError | None:
    """The same in our words; None for what only the caller can understand, such as a taken key."""
    state = str(getattr(exc.orig, "sqlstate", None) or "")
    said = str(exc.orig).strip().split("\n")[0]
    if state == "53100":
        return StoreFull("PostgreSQL has no room left", "make room on its disk", retry_after_s=30)
    if state in ("3F000", "42P01", "42703"):
        return WrongSchema(f"control is of another version: {said}", "run `hookvitals db upgrade`")
    if state == "42P07":
        return WrongSchema(f"the database holds tables of others: {said}", "give hookvitals one of its own")
    if state in ("55P03", "57014", "40P01", "40001"):
        return Unavailable("PostgreSQL is busy", "try again in a moment", retry_after_s=2)
    if state == "25006":
        return Unavailable("PostgreSQL is read-only here", "name the primary server, not a replica")
    if state == "42501":
        return Unavailable(f"PostgreSQL refuses it: {said}", "give the database to this user")
    if not exc.connection_invalidated and state[:2] in ("22", "23", "42", "P0"):
        return None
    return Unavailable(f"PostgreSQL does not answer: {said}", "look at its server", retry_after_s=2)


def _storable(
    _tx: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool
) -> tuple[str, Any]:
    """The parameters without NUL. Looking for a text changes it the same way."""
    return statement, [_cleaned(one) for one in parameters] if many else _cleaned(parameters)


def _cleaned(parameters: Any) -> Any:
    if not isinstance(parameters, dict):
        return parameters
    return {
        name: value.translate(STORABLE) if isinstance(value, str) and "\0" in value else value
        for name, value in parameters.items()
    }
