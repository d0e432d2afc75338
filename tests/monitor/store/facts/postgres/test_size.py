import pytest

from monitor.store.facts import floor
from monitor.store.facts.postgres.writer import PostgresFactWriter
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.postgres.stored import DAY_US, count, rows, some

pytestmark = pytest.mark.postgres

DAY_START_US = START_US // DAY_US * DAY_US
SECOND_US = 1_000_000


def spread_over_a_day(count: int) -> list[Made]:
    """Records from the first to the last second of one day, each of about a kilobyte."""
    step = (DAY_US - SECOND_US) // (count - 1)
    return [Made(n, DAY_START_US + n * step, event_id="e" * 900 + str(n)) for n in range(count)]


def test_bytes_are_those_of_every_table_and_index(facts_url: str, writer: PostgresFactWriter) -> None:
    empty = writer.used_bytes()
    writer.append([batch_of(writer, spread_over_a_day(2_000))])

    assert writer.used_bytes() > empty + 2_000 * 900
    in_facts = "relnamespace = 'facts'::regnamespace AND relkind = 'r'"
    whole = f"SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE {in_facts}"
    assert rows(facts_url, whole) == [(writer.used_bytes(),)]


def test_a_rising_floor_frees_bytes_in_the_day_that_it_cuts(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    """Deleted rows keep their room in the file, which the next rows of that day cannot all use."""
    writer.append([batch_of(writer, spread_over_a_day(2_000))])
    whole = writer.used_bytes()
    used = []
    for eighth in range(1, 8):
        while writer.raise_floor(DAY_START_US + eighth * DAY_US // 8, 500):
            pass
        used.append(writer.used_bytes())

    freed = [before - after for before, after in zip([whole, *used], used, strict=False)]
    assert all(part > 1_500_000 / 8 for part in freed)
    while writer.raise_floor(DAY_START_US + DAY_US, 500):
        pass
    assert writer.used_bytes() <= used[-1]
    assert rows(facts_url, "SELECT relname FROM pg_class WHERE relname = 'record_20261118'") == []


def test_a_budget_is_met_within_the_day_and_takes_the_oldest_only(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    records = spread_over_a_day(4_000)
    writer.append([batch_of(writer, records)])
    budget = writer.used_bytes() - 1_000_000
    steps = 0
    while floor.step(writer, DAY_START_US + DAY_US, 30 * 86_400, budget):
        steps += 1
        assert steps < 10

    assert writer.used_bytes() <= budget
    left = count(facts_url, "record")
    assert 0 < left < len(records)
    newest = {record.record_id for record in records[len(records) - left :]}
    assert {bytes(row[0]) for row in rows(facts_url, "SELECT uuid_send(record_id) FROM record")} == newest


def test_the_oldest_but_some_and_none_when_there_are_fewer(writer: PostgresFactWriter) -> None:
    writer.append([batch_of(writer, [*some(3), Made(9, START_US - 5 * DAY_US)])])

    found = [writer.oldest_us(skip) for skip in range(5)]
    assert found == [START_US - 5 * DAY_US, START_US, START_US + 1000, START_US + 2000, None]
