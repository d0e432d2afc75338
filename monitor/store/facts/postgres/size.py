"""How many bytes the facts in one PostgreSQL use: what a budget of bytes is held against."""

from typing import Any

from monitor.store.facts.postgres.partitions import DAY_US, day_of
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.record_rows import recorded_at_us

# partitions, their indexes and what is stored out of line
_SIZES = """SELECT c.relname, coalesce(pg_total_relation_size(c.oid), 0) FROM pg_class c
    WHERE c.relnamespace = 'facts'::regnamespace AND c.relkind = 'r'"""
_NEWEST = "SELECT uuid_send(record_id) FROM facts.record ORDER BY record_id DESC LIMIT 1"
_FLOOR = "SELECT value::bigint FROM facts.meta WHERE key = 'floor_us'"


def used_bytes(db: Connection) -> int:
    """Bytes on disk of everything in the schema, less what the floor has freed in the day that it cuts.

    PostgreSQL keeps a deleted row's room in its file until the day goes as a whole. Without this a budget
    that one day is over would never be met, however many rows of it are deleted. The freed share is taken
    from time: as much of the day as lies below the floor.
    """
    cursor = db.cursor(binary=True)
    ((floor_us,),) = cursor.execute(_FLOOR).fetchall()
    newest: list[tuple[Any, ...]] = cursor.execute(_NEWEST).fetchall()
    newest_us = recorded_at_us(bytes(newest[0][0])) if newest else 0
    sizes: list[tuple[Any, ...]] = cursor.execute(_SIZES).fetchall()
    return sum(size - _freed(table, size, int(str(floor_us)), newest_us) for table, size in sizes)


def _freed(table: str, size: int, floor_us: int, newest_us: int) -> int:
    day = day_of(table)
    if day is None:
        return 0
    start_us = day * DAY_US
    end_us = min(start_us + DAY_US, max(newest_us + 1, start_us + 1))
    share = (floor_us - start_us) / (end_us - start_us)
    return int(size * min(1.0, max(0.0, share)))
