"""Many collectors on one PostgreSQL: the same counts as one, no deadlock, names whole, floors kept."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from threading import Barrier, Event
from typing import TypeVar

import pytest

from monitor.errors import TooLarge
from monitor.model import OTHER, SeriesKey
from monitor.store.facts.names import ENVIRONMENTS, ERRORS_AN_ENDPOINT, TYPES_A_SOURCE
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import ClientCounts
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.postgres.stored import DAY_US, assert_counted, count, rows

pytestmark = pytest.mark.postgres

COLLECTORS = 4
ROUNDS = 25
Found = TypeVar("Found")


@pytest.fixture
def writers(facts_url: str) -> Iterator[Sequence[PostgresFactWriter]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(PostgresFactWriter(facts_url, FakeClock())))
            for _ in range(COLLECTORS)
        ]


def at_once(act: Callable[[int], Found]) -> list[Found]:
    """What `act` gives for each collector, all of them begun together."""
    together = Barrier(COLLECTORS)

    def begun(number: int) -> Found:
        together.wait(10)
        return act(number)

    with ThreadPoolExecutor(COLLECTORS) as threads:
        return list(threads.map(begun, range(COLLECTORS)))


def test_overlapping_groups_count_once_and_nobody_fails(
    facts_url: str, writers: Sequence[PostgresFactWriter]
) -> None:
    """Every round all store parts of the same records, captures and clients, each in an order of its own."""
    everything: list[Made] = []
    accepted = 0
    for turn in range(ROUNDS):
        records = [
            Made(
                1000 * turn + n, START_US + 50_000 * (n % 40), outcome="dead_lettered", event_id=f"e{n % 60}"
            )
            for n in range(120)
        ]
        everything += records

        def store(number: int, records: list[Made] = records, turn: int = turn) -> int:
            dice = random.Random(1000 * turn + number)
            writer = writers[number]
            parts = []
            for _ in range(3):
                mine = dice.sample(records, 80)
                client = ClientCounts(f"app-{dice.randrange(3)}", "1", "host", 5, turn, 0, turn, 0, {}, {})
                captures = dict.fromkeys(dice.sample(range(80), 20), b"sealed")
                fed = [(i,) for i in dice.sample(range(80), 5)]
                parts.append(batch_of(writer, mine, fed=fed, captures=captures, client=client))
            writer.fold()
            return sum(done.accepted for done in writer.append(parts))

        accepted += sum(at_once(store))

    assert accepted == count(facts_url, "record")
    stored = {bytes(row[0]) for row in rows(facts_url, "SELECT uuid_send(record_id) FROM record")}
    assert_counted(facts_url, [record for record in everything if record.record_id in stored])
    assert rows(facts_url, "SELECT DISTINCT produced FROM client") == [(ROUNDS - 1,)]


def test_codes_have_no_gap_and_every_collector_knows_the_same(
    facts_url: str, writers: Sequence[PostgresFactWriter]
) -> None:
    keys = [SeriesKey("production", f"source-{n % 3}", f"endpoint-{n % 7}", f"type-{n}") for n in range(120)]

    def make(number: int) -> dict[SeriesKey, int]:
        dice = random.Random(number)
        found: dict[SeriesKey, int] = {}
        for _ in range(60):
            found.update(writers[number].intern_series(dice.sample(keys, 5), 0))
            writers[number].intern_errors([(1, f"error-{dice.randrange(90)}")])
        found.update(writers[number].intern_series(keys, 0))
        return found

    first, *others = at_once(make)
    assert all(other == first for other in others)
    series = rows(facts_url, "SELECT code, parent FROM series ORDER BY code")
    assert [code for code, _ in series] == list(range(1, len(first) + 1))
    assert all(parent < code for code, parent in series)
    (errors,) = rows(facts_url, "SELECT count(*), max(code), count(DISTINCT name) FROM error_class")
    assert len(set(errors)) == 1


def test_caps_are_exact_whoever_comes_last(facts_url: str, writers: Sequence[PostgresFactWriter]) -> None:
    """More than the cap between them, fewer than the cap each."""
    types = TYPES_A_SOURCE // 2
    errors = ERRORS_AN_ENDPOINT // 2

    def make(number: int) -> int:
        writer, refused = writers[number], 0
        for n in range(0, types, 50):
            keys = [SeriesKey("p", "orum", f"e-{number}", f"{number}-{n + i}") for i in range(50)]
            codes = writer.intern_series(keys, 0)
            other = codes.get(SeriesKey("p", "orum", f"e-{number}", OTHER))
            refused += sum(codes[key] == other for key in keys)
        for n in range(errors):
            writer.intern_errors([(7, f"{number}-{n}")])
        for n in range(ENVIRONMENTS // 2):
            with suppress(TooLarge):
                writer.intern_series([SeriesKey(f"{number}-{n}")], 0)
        return refused

    refused = sum(at_once(make))
    assert refused == COLLECTORS * types - TYPES_A_SOURCE
    kept = "SELECT count(*) FROM series WHERE event_type <> '' AND event_type <> '__other__'"
    assert rows(facts_url, kept) == [(TYPES_A_SOURCE,)]
    kept = "SELECT count(*) FROM error_class WHERE name <> '__other__'"
    assert rows(facts_url, kept) == [(ERRORS_AN_ENDPOINT,)]
    assert rows(facts_url, "SELECT count(DISTINCT environment) FROM series") == [(ENVIRONMENTS,)]


def test_no_record_slips_under_a_floor_that_rises_meanwhile(
    facts_url: str, writers: Sequence[PostgresFactWriter]
) -> None:
    """Nothing purged is counted again: what is sent once more is refused or a duplicate, never accepted."""
    steps = 12
    records = [Made(n, START_US + n * 60_000_000, event_id=f"e{n}") for n in range(240)]
    whole = Event()

    def act(number: int) -> int:
        writer = writers[number]
        if number == 0:
            for step in range(1, steps + 1):
                while writer.raise_floor(START_US + step * 20 * 60_000_000, 7):
                    pass
                writer.fold()
            whole.set()
            return 0
        accepted, turn = 0, 0
        while not whole.is_set() or turn < steps:
            mine = random.Random(number * 1000 + turn).sample(records, 60)
            accepted += writer.append([batch_of(writer, mine)])[0].accepted
            turn += 1
        return accepted

    accepted = sum(at_once(act))
    writers[0].raise_floor(0, 1_000)

    assert count(facts_url, "record") == 0
    writers[1].fold()
    with closing(PostgresFactReader(facts_url)) as reader:
        key = SeriesKey("production")
        assert reader.ever([key])[key].records() == accepted
    assert 0 < accepted <= len(records)
    assert writers[2].append([batch_of(writers[2], records)])[0].accepted == 0


def test_an_open_append_holds_the_floor_where_it_found_it(
    facts_url: str, writers: Sequence[PostgresFactWriter]
) -> None:
    """A day older than the new floor is stored before the floor rises, or not at all."""
    old = [Made(n, START_US - 3 * DAY_US + 1000 * n) for n in range(3000)]
    batch = batch_of(writers[1], old)

    def act(number: int) -> int:
        if number == 0:
            while writers[0].raise_floor(START_US, 5_000):
                pass
            return 0
        return writers[number].append([batch])[0].accepted

    accepted = sum(at_once(act))

    assert accepted in (0, len(old))
    assert count(facts_url, "record") == 0
