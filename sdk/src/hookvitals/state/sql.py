"""State in a SQL database, shared by any number of hosts: PostgreSQL, MySQL, or whatever SQLAlchemy reaches.

Each statement is a transaction of its own and says what the row must be like for it to change: the count of
rows tells who was first. No lock outlasts a statement, and only the type of one table is of a dialect.
"""

import hashlib
import math
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence

from hookvitals.schemes.errors import MissingDependency
from hookvitals.state import forks
from hookvitals.state.base import (
    HANDED_OVER,
    HANDLED,
    KEEP_UNDONE_US,
    KEEP_VERSION_US,
    UNDONE,
    Change,
    Claim,
    StateUnavailable,
)

_LIKE = "postgresql+psycopg://user@host/name"
_PURGE_EVERY = 1000
_PURGE_AT_ONCE = 2000
_TRIES = 1000
"""Of what others forestall: each time one of them got through."""

_CLAIMED = "SELECT done, until_us, attempts FROM hookvitals_claim WHERE digest = :digest"
_FIRST_CLAIM = (
    "INSERT INTO hookvitals_claim (digest, done, until_us, attempts) VALUES (:digest, 0, :until_us, 1)"
)
_NEXT_CLAIM = (
    "UPDATE hookvitals_claim SET done = 0, until_us = :until_us, attempts = attempts + 1"
    " WHERE digest = :digest AND until_us <= :now_us"
)
_DONE = "UPDATE hookvitals_claim SET done = :done, until_us = :until_us WHERE digest = :digest"
_DONE_UNCLAIMED = (
    "INSERT INTO hookvitals_claim (digest, done, until_us, attempts) VALUES (:digest, :done, :until_us, 0)"
)
_RELEASE = (
    "UPDATE hookvitals_claim SET until_us = :now_us"
    " WHERE digest = :digest AND done = :undone AND until_us = :lease_until_us"
)
_REOPEN = (
    "UPDATE hookvitals_claim SET done = :undone, until_us = :now_us"
    " WHERE digest = :digest AND done = :handed_over"
)
_VERSION = "SELECT version FROM hookvitals_version WHERE digest = :digest"
_FIRST_VERSION = (
    "INSERT INTO hookvitals_version (digest, version, seen_us) VALUES (:digest, :version, :seen_us)"
)
_NEXT_VERSION = (
    "UPDATE hookvitals_version SET version = :version, seen_us = :seen_us"
    " WHERE digest = :digest AND version < :version"
)
_NOTE = "SELECT value, until_us FROM hookvitals_note WHERE digest = :digest"
_FIRST_NOTE = "INSERT INTO hookvitals_note (digest, value, until_us) VALUES (:digest, :value, :until_us)"
_NEXT_NOTE = (
    "UPDATE hookvitals_note SET value = :value, until_us = :until_us WHERE digest = :digest AND value = :was"
)


class SqlState:
    """A State in the database at `url`, an SQLAlchemy URL such as postgresql+psycopg://user@host/name.

    Makes its tables hookvitals_claim, hookvitals_version and hookvitals_note when first asked. timeout_s: how
    long connecting, or waiting for a connection, may take before the database counts as away. now: seconds
    since 1970, by which notes expire.
    Raises ValueError for a URL that cannot be one, MissingDependency without the sql extra or the driver.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0, now: Callable[[], float] = time.time) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._now = now
        self._claims = 0
        self._tables_made = False
        self._engine: Any = None
        self.connect_anew()
        forks.tell_in_child(self)

    def connect_anew(self) -> object:
        """Takes a new pool of connections; gives the one of before."""
        before, self._engine = self._engine, _engine(self._url, self._timeout_s)
        return before

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        names = {"digest": _digest(key), "until_us": now_us + lease_us}
        with self._connection() as db:
            self._purge_now_and_then(db, now_us)
            for _ in range(_TRIES):
                held = db.one(_CLAIMED, digest=names["digest"])
                if held is not None and held[1] > now_us:
                    return Claim.DONE if held[0] else Claim.BUSY
                if (
                    db.inserted(_FIRST_CLAIM, **names)
                    if held is None
                    else db.changed(_NEXT_CLAIM, now_us=now_us, **names)
                ):
                    return Claim.NEW
        raise _forestalled()

    def done(self, key: str, until_us: int, *, handed_over: bool = False) -> None:
        what = HANDED_OVER if handed_over else HANDLED
        names = {"digest": _digest(key), "until_us": until_us, "done": what}
        with self._connection() as db:
            for _ in range(_TRIES):
                if db.changed(_DONE, **names) or db.inserted(_DONE_UNCLAIMED, **names):
                    return
        raise _forestalled()

    def release(self, key: str, lease_until_us: int, now_us: int) -> None:
        with self._connection() as db:
            db.changed(
                _RELEASE, digest=_digest(key), undone=UNDONE, lease_until_us=lease_until_us, now_us=now_us
            )

    def reopen(self, key: str, now_us: int) -> None:
        with self._connection() as db:
            db.changed(_REOPEN, digest=_digest(key), undone=UNDONE, handed_over=HANDED_OVER, now_us=now_us)

    def attempts(self, key: str) -> int:
        with self._connection() as db:
            held = db.one(_CLAIMED, digest=_digest(key))
        return 0 if held is None else int(held[2])

    def version(self, resource: str) -> Optional[float]:
        with self._connection() as db:
            held = db.one(_VERSION, digest=_digest(resource))
        return None if held is None else float(held[0])

    def advance(self, resource: str, version: float, now_us: int) -> None:
        names = {"digest": _digest(resource), "version": version, "seen_us": now_us}
        with self._connection() as db:
            for _ in range(_TRIES):
                held = db.one(_VERSION, digest=names["digest"])
                if held is not None and held[0] >= version:
                    return
                if (
                    db.inserted(_FIRST_VERSION, **names)
                    if held is None
                    else db.changed(_NEXT_VERSION, **names)
                ):
                    return
        raise _forestalled()

    def change(self, note: str, change: Change, until_us: int) -> bytes:
        digest = _digest(note)
        with self._connection() as db:
            for _ in range(_TRIES):
                held = db.one(_NOTE, digest=digest)
                was = None if held is None else bytes(held[0])
                value = change(None if held is None or held[1] <= self._now() * 1e6 else was)
                names = {"digest": digest, "value": value, "until_us": until_us}
                if (
                    db.inserted(_FIRST_NOTE, **names)
                    if held is None
                    else db.changed(_NEXT_NOTE, was=was, **names)
                ):
                    return value
        raise _forestalled()

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator["_Connection"]:
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # the sql extra

        try:
            if not self._tables_made:
                _make_tables(self._engine)
                self._tables_made = True
            with self._engine.connect() as db:
                yield _Connection(db)
        except SQLAlchemyError as exc:
            raise StateUnavailable(f"{self._engine.name}: {getattr(exc, 'orig', None) or exc}") from exc

    def _purge_now_and_then(self, db: "_Connection", now_us: int) -> None:
        """Some of what has expired; an unfinished claim stays a week, for its count of attempts."""
        self._claims += 1
        if self._claims % _PURGE_EVERY:
            return
        db.purge("hookvitals_claim", "done <> 0 AND until_us <= :before_us", now_us)
        db.purge("hookvitals_claim", "done = 0 AND until_us <= :before_us", now_us - KEEP_UNDONE_US)
        db.purge("hookvitals_version", "seen_us <= :before_us", now_us - KEEP_VERSION_US)
        db.purge("hookvitals_note", "until_us <= :before_us", int(self._now() * 1e6))


class _Connection:
    """Statements of SQL that every dialect understands."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def one(self, query: str, **values: object) -> Optional[Sequence[Any]]:
        """The only row, if there is one."""
        row: Optional[Sequence[Any]] = self._run(query, values).fetchone()
        return row

    def changed(self, update: str, **values: object) -> bool:
        """Whether a row was as the statement supposes."""
        return bool(self._run(update, values).rowcount)

    def inserted(self, insert: str, **values: object) -> bool:
        """False when somebody else put the row in meanwhile."""
        from sqlalchemy.exc import IntegrityError  # noqa: PLC0415  # the sql extra

        try:
            self._run(insert, values)
        except IntegrityError:
            return False
        return True

    def purge(self, table: str, expired: str, before_us: int) -> None:
        """Deletes a bounded number of rows; what another process deletes at the same time is its business."""
        query = f"SELECT digest FROM {table} WHERE {expired} LIMIT {_PURGE_AT_ONCE}"  # noqa: S608  # ours
        for row in self._run(query, {"before_us": before_us}).fetchall():
            delete = f"DELETE FROM {table} WHERE digest = :digest AND {expired}"  # noqa: S608
            self._run(delete, {"digest": row[0], "before_us": before_us})

    def _run(self, statement: str, values: Mapping[str, object]) -> Any:
        from sqlalchemy import text  # noqa: PLC0415  # the sql extra

        return self._db.execute(text(statement), values)


def _engine(url: str, timeout_s: float) -> Any:
    try:
        from sqlalchemy import create_engine, make_url  # noqa: PLC0415  # the sql extra
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415
    except ImportError as exc:
        raise MissingDependency("SqlState needs: pip install 'hookvitals[sql]'") from exc
    try:
        parsed = make_url(url)
    except ArgumentError:  # its text may show the URL, and that a password
        raise ValueError(f"no URL that SqlState can use; one looks like {_LIKE}") from None
    try:
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed,
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
            pool_timeout=timeout_s,
            hide_parameters=True,
            connect_args=_connect_args(parsed.get_driver_name(), timeout_s),
        )
    except (ArgumentError, TypeError) as exc:
        raise ValueError(f"no database that SqlState can use: {exc}; a URL looks like {_LIKE}") from exc
    except ImportError as exc:
        raise MissingDependency(
            f"SqlState needs the driver of this database: pip install {exc.name}"
        ) from exc


def _connect_args(driver: str, timeout_s: float) -> Dict[str, Any]:
    """What this driver is told beside the URL; one that is not known here has its own timeouts."""
    at_most_s = max(2, math.ceil(timeout_s))
    if driver == "psycopg":
        return {
            "connect_timeout": at_most_s,
            "tcp_user_timeout": int(timeout_s * 1000),
            "prepare_threshold": None,  # a pooler may give every statement another session
        }
    if driver in ("psycopg2", "pymysql", "mysqldb"):
        return {"connect_timeout": at_most_s}
    return {"timeout": timeout_s} if driver == "pysqlite" else {}


def _make_tables(engine: Any) -> None:
    """Unless they are there. Of several processes that begin at once one makes each."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415  # the sql extra

    metadata = _tables(engine.name)
    with engine.connect() as db:
        for _ in metadata.tables:
            try:
                metadata.create_all(db)
                return
            except DBAPIError:  # somebody else made one meanwhile; or nobody can, and the last try says so
                continue
        metadata.create_all(db)


def _tables(dialect: str) -> Any:
    import sqlalchemy as sa  # noqa: PLC0415  # the sql extra

    metadata = sa.MetaData()

    def digest() -> Any:
        """Of a name: of any length and in any letters, none of which a database could take for another."""
        return sa.Column("digest", sa.CHAR(64), primary_key=True)

    sa.Table(
        "hookvitals_claim",
        metadata,
        digest(),
        sa.Column("done", sa.SmallInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False, index=True),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    sa.Table(
        "hookvitals_version",
        metadata,
        digest(),
        sa.Column("version", sa.Double, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False, index=True),
    )
    sa.Table(
        "hookvitals_note",
        metadata,
        digest(),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False, index=True),
        # a note may be lost with the power, and changes at every request: it need not wait for the log
        prefixes=["UNLOGGED"] if dialect == "postgresql" else [],
    )
    return metadata


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _forestalled() -> StateUnavailable:
    return StateUnavailable(f"others were faster {_TRIES} times")
