"""A server that is killed while collectors store and fold: what was answered is there, and counts once."""

import random
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Event, Thread

import pytest

from monitor.errors import Unavailable
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.postgres.writer import PostgresFactWriter
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.postgres.stored import assert_counted, count, rows
from tests.postgres import Postgres, programs, server

pytestmark = pytest.mark.postgres

KILLS = 3
GROUP = 60


@pytest.fixture
def durable() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with server(durable=True) as started:
        yield started


def test_killed_at_any_time_nothing_answered_is_lost_and_nothing_counts_twice(durable: Postgres) -> None:
    url = durable.url(durable.create())
    create(url)
    groups = [
        [
            Made(1000 * n + i, START_US + 1000 * i, event_id=f"e{n}-{i}", error="KeyError")
            for i in range(GROUP)
        ]
        for n in range(10_000)
    ]
    answered: list[int] = []
    with closing(PostgresFactWriter(url, FakeClock())) as writer:
        first = 0
        for kill in range(KILLS):
            sent = store_until_killed(durable, writer, groups, first, answered, kill)
            stored = {bytes(row[0]) for row in rows(url, "SELECT uuid_send(record_id) FROM record")}
            assert all(record.record_id in stored for n in answered for record in groups[n])
            for n in range(first, sent):  # what a client does that got no answer
                (done,) = writer.append([batch_of(writer, groups[n])])
                assert done.accepted + done.duplicates == GROUP
                answered.append(n)
            first = sent
        assert count(url, "record") == first * GROUP
        while writer.fold():
            pass
    assert_counted(url, [record for group in groups[:first] for record in group])


def store_until_killed(
    durable: Postgres,
    writer: PostgresFactWriter,
    groups: list[list[Made]],
    first: int,
    answered: list[int],
    seed: int,
) -> int:
    """Stores group after group, folds beside it, and kills the server after some; how many it has sent.

    Returns when the server is there again.."""
    enough, dead = Event(), Event()
    wanted = len(answered) + random.Random(seed).randrange(5, 40)

    def fold() -> None:
        while not dead.is_set():
            with suppress(Unavailable):
                writer.fold()

    def kill() -> None:
        enough.wait(30)
        durable.stop(signal.SIGKILL)
        dead.set()
        durable.start()

    threads = [Thread(target=fold), Thread(target=kill)]
    for thread in threads:
        thread.start()
    sent = first
    try:
        while not dead.is_set():  # one between two groups may notice nothing
            sent += 1
            writer.append([batch_of(writer, groups[sent - 1])])
            answered.append(sent - 1)
            if len(answered) >= wanted:
                enough.set()
    except Unavailable:
        pass
    finally:
        enough.set()
        for thread in threads:
            thread.join()
    return sent
