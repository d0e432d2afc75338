"""The table of event types counts and times what each type did in a day."""

from datetime import timedelta

import pytest

from monitor.model import Outcome
from monitor.queries.stats import by_type
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory

HOUR = timedelta(hours=1)


def test_types_come_with_counts_and_times_the_most_frequent_first(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(event_type="rare", process_ms=10.0)])
    fill.add([make(process_ms=ms) for ms in (10.0, 20.0, 60.0)])
    fill.add([make(Outcome.FAILED, process_ms=110.0), make(Outcome.DEAD_LETTERED, process_ms=50.0)])
    fill.add([make.delivery(Outcome.REJECTED), make(at=NOON - 25 * HOUR)])

    common, rare = by_type(reader, "production", NOON + HOUR)

    assert (common.source, common.event_type, rare.event_type) == ("stripe", "invoice.paid", "rare")
    assert (common.total, common.succeeded, common.failed, common.dead_lettered) == (5, 3, 2, 1)
    assert common.avg_ms == pytest.approx(50.0)
    assert (common.min_ms, common.max_ms) == (10.0, 110.0)
    assert common.p50_ms == pytest.approx(50.0, rel=0.023)
    assert common.p95_ms == common.p99_ms == pytest.approx(110.0, rel=0.023)


def test_one_type_at_two_endpoints_is_one_line(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(process_ms=10.0), make(process_ms=30.0, endpoint="refunds"), make(source="orum")])

    found = {(stats.source, stats.event_type): stats for stats in by_type(reader, "production", NOON + HOUR)}

    assert found["stripe", "invoice.paid"].total == 2
    assert found["stripe", "invoice.paid"].avg_ms == pytest.approx(20.0)
    assert found["orum", "invoice.paid"].total == 1


def test_a_type_without_attempts_has_no_times(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(Outcome.UNHANDLED)])

    (stats,) = by_type(reader, "production", NOON + HOUR, source="stripe", endpoint="payments")

    assert (stats.total, stats.avg_ms, stats.min_ms, stats.max_ms, stats.p95_ms) == (
        1,
        None,
        None,
        None,
        None,
    )


def test_another_endpoints_types_are_left_out(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make()])

    assert by_type(reader, "production", NOON + HOUR, endpoint="refunds") == []
    assert by_type(reader, "dev", NOON + HOUR) == []
