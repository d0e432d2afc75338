"""The days of the records: one partition a UTC day, made before it is needed, gone as a whole.

Making one stops no insert and no query: a table is made apart and attached. Retiring one neither: it is
detached CONCURRENTLY, then dropped. Any number of collectors may do either at once.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Event, Timer
from typing import NamedTuple
from uuid import UUID

from psycopg import errors, sql

from monitor.clock import EPOCH
from monitor.store.facts.postgres.locks import Lock, take
from monitor.store.facts.postgres.server import Connection, Contended, Server
from monitor.store.facts.record_rows import first_id_at

DAY_US = 86_400_000_000
LOCK_TIMEOUT_MS = 2_000
"""How long to wait for a lock on the records before trying again: others may queue behind it."""

_TRIES = 5


class State(StrEnum):
    """How a day's table stands to the records."""

    ATTACHED = "attached"
    PENDING = "pending"  # a detach was interrupted: queries no longer see it
    DETACHED = "detached"


class Day(NamedTuple):
    """The table of a day; number: days since 1970."""

    number: int
    state: State


def table_of(day: int) -> str:
    """The name of a day's partition in the schema facts."""
    return f"record_{EPOCH + timedelta(days=day):%Y%m%d}"


def day_of(table: str) -> int | None:
    """The day whose partition `table` is or was, in days since 1970; None for any other table."""
    if not re.fullmatch(r"record_\d{8}", table):
        return None
    return (datetime.strptime(table, "record_%Y%m%d").replace(tzinfo=UTC) - EPOCH).days


def days(db: Connection) -> Sequence[Day]:
    """The table of every day, the oldest first."""
    found = [(day_of(str(name)), State(str(state))) for name, state in db.execute(_DAYS).fetchall()]
    return [Day(number, state) for number, state in found if number is not None]


def ensure_days(server: Server, first_us: int, last_us: int) -> None:
    """Makes the partitions of every day from that of `first_us` to that of `last_us`, where they lack.

    Days wholly below the floor are left out. Raises Contended when the records are locked for long.
    """
    for left in reversed(range(_TRIES)):
        try:
            with server.write(LOCK_TIMEOUT_MS) as db:
                take(db, Lock.DAYS)
                _make(db, range(first_us // DAY_US, last_us // DAY_US + 1))
            return
        except Contended:
            if not left:
                raise


def retire_days(server: Server, floor_us: int) -> None:
    """Takes the days that lie wholly below the floor out of the records, and deletes them.

    Goes on where a crash or another collector left off. A day that a long query holds stays for a later call.
    """
    with server.plain() as db:
        below = [day for day in days(db) if (day.number + 1) * DAY_US <= floor_us]
        below.sort(key=lambda day: day.state is not State.PENDING)  # while one is, no other can be detached
        for day in below:
            if not _retired(db, day):
                return


def _make(db: Connection, wanted: Sequence[int]) -> None:
    there = {day.number for day in days(db) if day.state is not State.DETACHED}
    floor = db.execute("SELECT value FROM facts.meta WHERE key = 'floor_us'").fetchone()
    floor_us = int(str(floor[0])) if floor else 0
    for day in wanted:
        if day not in there and (day + 1) * DAY_US > floor_us:
            _attach(db, day)


def _attach(db: Connection, day: int) -> None:
    """Attaching scans nothing, the table being empty, and takes a lock that stops no insert or query."""
    names = {
        "table": sql.Identifier("facts", table_of(day)),
        "first": sql.Literal(str(UUID(bytes=first_id_at(day * DAY_US)))),
        "end": sql.Literal(str(UUID(bytes=first_id_at((day + 1) * DAY_US)))),
    }
    db.execute(sql.SQL("CREATE TABLE {table} (LIKE facts.record INCLUDING ALL)").format(**names))
    db.execute(
        sql.SQL(
            "ALTER TABLE facts.record ATTACH PARTITION {table} FOR VALUES FROM ({first}) TO ({end})"
        ).format(**names)
    )


def _retired(db: Connection, day: Day) -> bool:
    """Whether the day is gone now. When it is not, the connection may be closed."""
    table = sql.Identifier("facts", table_of(day.number))
    try:
        return all(_done_in_time(db, step.format(table)) for step in _STEPS[day.state])
    except _IN_USE:
        return False


def _done_in_time(db: Connection, statement: sql.Composed) -> bool:
    """Runs the statement and cancels it when it takes too long: a DETACH waits for every older query.

    Not by lock_timeout: these statements cannot stand in a transaction, so only the session could hold the
    setting, and behind a pooler the session is everybody's.
    """
    late = Event()

    def cancel() -> None:
        late.set()
        db.cancel_safe()

    timer = Timer(LOCK_TIMEOUT_MS / 1000, cancel)
    timer.start()
    try:
        db.execute(statement)
    finally:
        timer.cancel()
        timer.join()
        if late.is_set():
            db.close()  # a cancellation on its way must not meet the next statement
    return not late.is_set()


_DAYS = """SELECT c.relname, CASE WHEN i.inhrelid IS NULL THEN 'detached'
        WHEN i.inhdetachpending THEN 'pending' ELSE 'attached' END
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relnamespace = 'facts'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^record_[0-9]{8}$'
    ORDER BY c.relname"""
_DROP = sql.SQL("DROP TABLE IF EXISTS {}")
_STEPS = {
    State.ATTACHED: (sql.SQL("ALTER TABLE facts.record DETACH PARTITION {} CONCURRENTLY"), _DROP),
    State.PENDING: (sql.SQL("ALTER TABLE facts.record DETACH PARTITION {} FINALIZE"), _DROP),
    State.DETACHED: (_DROP,),
}
_IN_USE = (
    errors.QueryCanceled,
    errors.DeadlockDetected,
    errors.ObjectNotInPrerequisiteState,  # another collector is detaching a day
    errors.UndefinedTable,  # or has done so
)
