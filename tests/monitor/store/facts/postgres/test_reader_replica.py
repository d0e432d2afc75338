"""Reading from a real copy that follows a real primary, while it lags and after it has caught up."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from monitor.clock import to_us
from monitor.model import Grain, Outcome, SeriesKey
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.protocol import RecordFilter
from tests.facts import NOON, RecordFactory, mixed
from tests.postgres import Postgres
from tests.postgres_facts import postgres_facts
from tests.replica import catch_up, held_back, replica

pytestmark = pytest.mark.postgres

HOUR = timedelta(hours=1)
EVERYTHING = SeriesKey("production")


@pytest.fixture(scope="module")
def copy(postgres: Postgres) -> Iterator[Postgres]:
    with replica(postgres) as started:
        yield started


@pytest.fixture
def urls(postgres: Postgres, copy: Postgres) -> Iterator[tuple[str, str]]:
    """The same empty facts, on the primary and on its copy."""
    name = postgres.create()
    create(postgres.url(name))
    catch_up(copy, postgres)
    yield postgres.url(name), copy.url(name)
    postgres.drop(name)


def answers(reader: PostgresFactReader) -> list[object]:
    """What a reader says to every question that a copy may answer."""
    start_us, end_us = to_us(NOON - HOUR), to_us(NOON + HOUR)
    keys = list(reader.series().values())
    troubled = RecordFilter(outcomes=(Outcome.FAILED, Outcome.DEAD_LETTERED), source="orum")
    page = reader.page(RecordFilter(), 20)
    return [
        keys,
        reader.rollups(keys, Grain.MINUTE, start_us, end_us),
        reader.total(keys, start_us, end_us),
        reader.ever(keys),
        reader.last_seen(keys),
        reader.recount(start_us, end_us),
        page,
        reader.page(troubled, 20),
        reader.get(page.records[0].record_id),
        reader.event(None, "stripe", page.records[0].event_id or ""),
        reader.queue_samples(start_us, end_us),
        reader.latest_queue_samples(start_us),
        reader.heartbeat_us(),
    ]


def test_a_copy_that_caught_up_answers_as_its_primary(
    postgres: Postgres, copy: Postgres, urls: tuple[str, str]
) -> None:
    with postgres_facts(urls[0]) as (fill, primary), closing(PostgresFactReader(*urls)) as reader:
        records = mixed(100, start=NOON - HOUR, over=2 * HOUR)
        fill.add(records[:60])
        fill.writer.fold()
        fill.add(records[60:])
        fill.writer.heartbeat("one", to_us(NOON))
        catch_up(copy, postgres)

        assert answers(reader) == answers(primary)
        assert reader.recount(0, to_us(NOON + HOUR)) != {}
        assert reader.used_bytes() > 0


def test_what_control_acts_on_does_not_lag_behind(
    postgres: Postgres, copy: Postgres, urls: tuple[str, str]
) -> None:
    make = RecordFactory()
    dead = make(Outcome.DEAD_LETTERED)
    with postgres_facts(urls[0]) as (fill, _), closing(PostgresFactReader(*urls)) as reader:
        with held_back(copy):
            fill.add([dead])
            fill.writer.raise_floor(to_us(NOON - HOUR), 10)

            assert reader.get(dead.record_id) is None
            assert reader.ever([EVERYTHING]) == {}
            assert [row.record for row in reader.feed(0, 0, 10)] == [dead]
            assert reader.floor_us() == to_us(NOON - HOUR)
        catch_up(copy, postgres)

        assert reader.get(dead.record_id) == dead
        assert reader.ever([EVERYTHING])[EVERYTHING].records() == 1
