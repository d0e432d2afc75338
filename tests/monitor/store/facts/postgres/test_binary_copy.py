import random
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.store.facts.postgres.binary_copy import RECORD_COPY, packed
from monitor.store.facts.postgres.partitions import DAY_US, ensure_days
from monitor.store.facts.postgres.server import Server
from monitor.store.facts.record_rows import first_id_at
from tests.monitor.store.facts.making import START_US

pytestmark = pytest.mark.postgres

Row = tuple[object, ...]

_ID = first_id_at(START_US)
_GOOD: Row = (_ID, 1, 1, START_US, 200, 5, 0, 7, b"detail")
_SMALL = st.integers(-(2**15), 2**15 - 1)
_INT = st.integers(-(2**31), 2**31 - 1)
_BIG = st.integers(-(2**63), 2**63 - 1)
_ROWS = st.tuples(
    st.binary(min_size=10, max_size=10).map(lambda tail: _ID[:6] + tail),
    _INT,
    _SMALL,
    _BIG,
    st.none() | _SMALL,
    st.none() | _BIG,
    _INT,
    st.none() | st.integers(0, 2**32 - 1),
    st.binary(max_size=400),
)


@pytest.fixture
def url(facts_url: str) -> str:
    server = Server(facts_url, 1)
    ensure_days(server, START_US, START_US)
    server.close()
    return facts_url


def stored(url: str, rows: list[Row]) -> list[Row]:
    """What the server makes of the packed rows; keeps nothing."""
    with psycopg.connect(url) as db:
        with db.cursor().copy(RECORD_COPY) as copy:
            copy.write(packed(rows))
        cursor = db.cursor(binary=True)
        found = cursor.execute("SELECT * FROM facts.record ORDER BY record_id").fetchall()
        db.rollback()
    return [(record_id.bytes, *rest) for record_id, *rest in found]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(_ROWS, max_size=20, unique_by=lambda row: row[0]))
def test_the_server_reads_what_was_packed(url: str, rows: list[Row]) -> None:
    assert stored(url, rows) == sorted(rows)


def test_thousands_of_rows_arrive_whole(url: str) -> None:
    dice = random.Random(3)
    rows: list[Row] = sorted(
        (_ID[:6] + dice.randbytes(10), 1, 2, START_US, None, 3, 0, None, dice.randbytes(dice.randrange(900)))
        for _ in range(5000)
    )
    assert stored(url, rows) == rows


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, b"short"),
        (0, bytes(17)),
        (0, None),
        (1, 2**31),
        (1, None),
        (2, 2**15),
        (3, 2**63),
        (3, "text"),
        (4, 70_000),
        (5, -(2**64)),
        (6, None),
        (7, 2**63),
        (8, None),
        (8, "text"),
    ],
)
def test_what_no_column_holds_is_refused_before_it_is_sent(column: int, value: object) -> None:
    bad = (*_GOOD[:column], value, *_GOOD[column + 1 :])
    with pytest.raises((ValueError, TypeError)):
        packed([_GOOD, bad])


def test_the_day_of_an_id_is_the_partition_it_lies_in(url: str) -> None:
    """The bounds of a day are ids: the first of its first millisecond, and all of its last."""
    day_us = START_US // DAY_US * DAY_US
    ids = [first_id_at(day_us), first_id_at(day_us + DAY_US - 1000)[:6] + b"\xff" * 10]
    assert len(stored(url, [(record_id, *_GOOD[1:]) for record_id in ids])) == 2
    for outside in (first_id_at(day_us - 1000), first_id_at(day_us + DAY_US)):
        with pytest.raises(psycopg.errors.CheckViolation):
            stored(url, [(outside, *_GOOD[1:])])
    assert UUID(bytes=ids[0]) < UUID(bytes=ids[1])
