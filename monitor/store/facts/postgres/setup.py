"""The facts' tables in one PostgreSQL: making them, bringing them to this version, refusing unfit servers.

Whatever number of processes do it at once, one makes the tables and the others find them. Reads and writes
no fact.
"""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import psycopg
from psycopg import errors

from monitor.errors import ConfigError, WrongSchema
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.schema import TABLES, VERSION
from monitor.store.facts.postgres.server import UPGRADE_HINT, WAIT_S, Connection, translated

OLDEST_SERVER = 15

MIGRATIONS: Mapping[int, Sequence[str]] = {}
"""Statements that take a store from the version of the key to the next one."""

# to_regclass would answer from this session's cache, which waiting for an advisory lock does not renew
_MADE = """SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'facts' AND c.relname = 'meta'"""


def create(url: str, store_id: str | None = None) -> None:
    """Makes the facts in the database at `url`, or brings those there to this version.

    store_id: names this store to control; a new one when None. Raises WrongSchema for a store made by a
    later version, ConfigError for a server that cannot hold the facts, Unavailable when none answers.
    """
    try:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=int(WAIT_S)) as db:
            require_server(db)
            if version_of(db) == VERSION:
                return
            db.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # sees what the lock waited for
            with db.transaction():
                take(db, Lock.SETUP)
                _make_or_migrate(db, store_id or uuid4().hex)
    except errors.InsufficientPrivilege as exc:
        raise ConfigError(
            f"PostgreSQL does not let this user make the facts: {exc.diag.message_primary}",
            "GRANT CREATE ON DATABASE … TO its user, or run it as the owner",
        ) from exc
    except psycopg.Error as exc:
        raise translated(exc) from exc


def require_server(db: Connection) -> None:
    """Raises ConfigError unless the server is new enough and an answer from it means: on its disk."""
    version, commits = _asked(db, "SHOW server_version_num"), _asked(db, "SHOW synchronous_commit")
    if int(version) // 10_000 < OLDEST_SERVER:
        raise ConfigError(
            f"this PostgreSQL is version {int(version) // 10_000}",
            f"the facts need PostgreSQL {OLDEST_SERVER} or newer",
        )
    if commits == "off":
        raise ConfigError(
            "PostgreSQL answers before a commit is on its disk: synchronous_commit is off",
            "ALTER ROLE … SET synchronous_commit = on for the user of facts_url, or for its database",
        )


def require_version(db: Connection) -> None:
    """Raises WrongSchema, naming the command to run, unless the facts are of this version."""
    found = version_of(db)
    if found == 0:
        raise WrongSchema("there are no facts in this PostgreSQL", UPGRADE_HINT)
    if found < VERSION:
        raise WrongSchema(
            f"the facts in PostgreSQL have schema {found}, this version needs {VERSION}", UPGRADE_HINT
        )
    if found > VERSION:
        raise _too_new(found)


def version_of(db: Connection) -> int:
    """The schema version of the facts; 0 where there are none."""
    if not db.execute(_MADE).fetchone():
        return 0
    row = db.execute("SELECT value FROM facts.meta WHERE key = 'schema_version'").fetchone()
    return int(str(row[0])) if row else 0


def migrate(db: Connection, found: int, wanted: int, migrations: Mapping[int, Sequence[str]]) -> None:
    """Takes the facts from one version to another inside the caller's transaction."""
    for version in range(found, wanted):
        for statement in migrations[version]:
            db.execute(statement)
        db.execute("UPDATE facts.meta SET value = %s WHERE key = 'schema_version'", (str(version + 1),))


def _make_or_migrate(db: Connection, store_id: str) -> None:
    found = version_of(db)
    if found > VERSION:
        raise _too_new(found)
    if found == 0:
        _make(db, store_id)
        return
    migrate(db, found, VERSION, MIGRATIONS)


def _make(db: Connection, store_id: str) -> None:
    if not db.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'facts'").fetchone():
        db.execute("CREATE SCHEMA facts")  # an administrator may have made it for a user who cannot
    for table in TABLES:
        db.execute(table)
    for key, value in {"store_id": store_id, "schema_version": str(VERSION), "floor_us": "0"}.items():
        db.execute("INSERT INTO facts.meta (key, value) VALUES (%s, %s)", (key, value))


def _asked(db: Connection, question: str) -> str:
    row = db.execute(question).fetchone()
    return str(row[0]) if row else ""


def _too_new(found: int) -> WrongSchema:
    return WrongSchema(
        f"the facts in PostgreSQL have schema {found}, this version knows only {VERSION}",
        "run the hookvitals version that wrote them, or a later one",
    )
