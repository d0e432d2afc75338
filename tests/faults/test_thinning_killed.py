"""The process that thins a flood of rejections is killed, again and again, at whatever it is doing."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from monitor.clock import to_us
from monitor.maintain.verify import verify
from monitor.model import Outcome, Record, SeriesKey
from monitor.store.facts.protocol import RecordFilter, pages
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.facts import NOON, Filled, RecordFactory
from tests.faults.forks import processes
from tests.monitor.clocks import FakeClock

pytestmark = pytest.mark.faults

FLOOD = 6_000
WHOLE = 60
ROWS = 50
"""A step's bound: a kill seldom falls between two of so many."""
HOUR = timedelta(hours=1)
PRODUCTION = SeriesKey("production")


def thinning(path: Path, told: Connection) -> None:
    """Thins step by step, folding between them; says so with each step."""
    with closing(SqliteFactWriter(path, FakeClock(NOON + HOUR))) as writer:
        while writer.thin(to_us(NOON + 2 * HOUR), ROWS):
            told.send(None)
            writer.fold()
    told.send("done")


@contextmanager
def opened(path: Path) -> Iterator[tuple[Filled, SqliteFactReader]]:
    """A writer and a reader, as a collector that is started again has them."""
    clock = FakeClock(NOON + HOUR)
    with closing(SqliteFactWriter(path, clock)) as writer, closing(SqliteFactReader(path)) as reader:
        yield Filled(writer), reader


def flood() -> list[Record]:
    make = RecordFactory()
    return [make.delivery(Outcome.REJECTED, NOON + timedelta(milliseconds=n)) for n in range(FLOOD)]


def left(reader: SqliteFactReader) -> int:
    return sum(1 for _ in pages(reader, RecordFilter(), 1000))


def assert_every_one_is_counted(reader: SqliteFactReader) -> None:
    assert list(verify(reader, NOON - HOUR, NOON + HOUR).differences) == []
    assert reader.ever([PRODUCTION])[PRODUCTION].outcome(Outcome.REJECTED) == FLOOD


def test_each_rejection_is_counted_once_whenever_the_thinning_is_killed(tmp_path: Path) -> None:
    path, dice, records, is_done, kills = tmp_path / "facts.db", random.Random(11), flood(), False, 0
    create(path)
    with opened(path) as (fill, _):
        fill.add(records, bare=records[WHOLE:])

    rows = [FLOOD]
    while not is_done:
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=thinning, args=(path, theirs))
        process.start()
        theirs.close()
        for _ in range(dice.randrange(1, 30)):
            is_done = is_done or ours.recv() == "done"
            if is_done:
                break
        process.join(dice.random() * 0.02)  # somewhere in the steps that follow
        process.kill()
        process.join()
        kills += not is_done
        with opened(path) as (fill, reader):
            assert_every_one_is_counted(reader)
            assert fill.add(records, bare=records[WHOLE:]).accepted == 0
            assert_every_one_is_counted(reader)
            rows.append(left(reader))

    assert kills > 3
    assert rows == sorted(rows, reverse=True)
    assert rows[-1] == WHOLE
