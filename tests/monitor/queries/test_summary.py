"""Charts cut any length of time into steps that fit."""

from datetime import timedelta
from itertools import pairwise

import pytest

from monitor.model import Grain, SeriesKey
from monitor.queries.summary import chart, step_of, top_errors
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, mixed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (HOUR, (Grain.MINUTE, 1)),
        (6 * HOUR, (Grain.MINUTE, 5)),
        (DAY, (Grain.MINUTE, 15)),
        (7 * DAY, (Grain.HOUR, 2)),
        (30 * DAY, (Grain.HOUR, 6)),
        (100 * DAY, (Grain.DAY, 1)),
        (365 * DAY, (Grain.DAY, 7)),
        (99_999 * DAY, (Grain.DAY, 28)),
    ],
)
def test_the_finest_step_that_fits_is_taken(length: timedelta, step: tuple[Grain, int]) -> None:
    assert step_of(length, 120) == step


@pytest.mark.parametrize("length", [HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY])
def test_a_chart_of_any_length_counts_every_record(
    fill: Filled, reader: SqliteFactReader, length: timedelta
) -> None:
    fill.add(mixed(200, over=length))

    drawn = chart(reader, SeriesKey("production"), NOON, NOON + length)

    assert sum(figures.records for _, figures in drawn.points) == 200
    times = [at for at, _ in drawn.points]
    assert all(later - sooner == drawn.step for sooner, later in pairwise(times))


def test_one_error_class_at_two_endpoints_is_one_line(fill: Filled, reader: SqliteFactReader) -> None:
    records = mixed(400, over=HOUR)
    fill.add(records)
    whole = SeriesKey("production")

    found = top_errors(reader, reader.ever([whole])[whole], most=2)

    failed = [r.error_class for r in records if r.error_class and not r.canary and r.replay_id is None]
    counts = sorted(((failed.count(name), name) for name in set(failed)), reverse=True)
    assert found == [(name, n) for n, name in counts[:2]]
