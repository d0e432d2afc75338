"""A week runs between local midnights, whatever the clocks do in it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.clock import to_us
from monitor.errors import Unprocessable
from monitor.model import SeriesKey
from monitor.queries.sla import week_before, week_bounds, week_facts
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory

HOUR = timedelta(hours=1)
STRIPE = SeriesKey("production", "stripe")
PAYMENTS = SeriesKey("production", "stripe", "payments")


@pytest.mark.parametrize(
    ("week", "zone", "start", "hours"),
    [
        ("2026-W47", "UTC", datetime(2026, 11, 16, tzinfo=UTC), 168),
        ("2026-W47", "America/New_York", datetime(2026, 11, 16, 5, tzinfo=UTC), 168),
        ("2026-W44", "America/New_York", datetime(2026, 10, 26, 4, tzinfo=UTC), 169),
        ("2026-W13", "Europe/Berlin", datetime(2026, 3, 22, 23, tzinfo=UTC), 167),
        ("2026-W47", "Asia/Kolkata", datetime(2026, 11, 15, 18, 30, tzinfo=UTC), 168),
        ("2026-W53", "UTC", datetime(2026, 12, 28, tzinfo=UTC), 168),
    ],
)
def test_a_week_begins_and_ends_at_local_midnight(week: str, zone: str, start: datetime, hours: int) -> None:
    assert week_bounds(week, ZoneInfo(zone)) == (start, start + hours * HOUR)


@pytest.mark.parametrize("week", ["2026-47", "2026-W54", "2025-W53", "W47", "2026-W00", "last week", ""])
def test_what_is_not_a_week_is_refused_with_an_example(week: str) -> None:
    with pytest.raises(Unprocessable, match="2026-W47"):
        week_bounds(week, ZoneInfo("UTC"))


def test_the_week_before_is_whole_in_the_local_zone() -> None:
    monday_in_utc = datetime(2026, 11, 23, 2, tzinfo=UTC)

    assert week_before(monday_in_utc, ZoneInfo("UTC")) == "2026-W47"
    assert week_before(monday_in_utc, ZoneInfo("America/New_York")) == "2026-W46"


def test_totals_take_the_first_moment_of_the_week_and_not_the_last(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    start, end = week_bounds("2026-W47", zone)
    inside = [make(at=start), make(at=NOON, endpoint="refunds"), make(at=end - timedelta(milliseconds=1))]
    fill.add([*inside, make(at=start - timedelta(milliseconds=1)), make(at=end)])

    facts = week_facts(reader, "2026-W47", zone)

    assert {key: rollup.records() for key, rollup in facts.totals.items()} == {
        STRIPE: 3,
        PAYMENTS: 2,
        SeriesKey("production", "stripe", "refunds"): 1,
    }
    assert (facts.start_at, facts.end_at, facts.zone) == (start, end, "Asia/Kolkata")


def test_probes_are_those_of_the_week_and_environment(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(), make(environment="dev")])
    codes = {key: code for code, key in reader.series().items()}
    dev = SeriesKey("dev", "stripe", "payments")
    fill.writer.append_probes(
        [
            (codes[key], kind, to_us(at), 1, 200, 5, None, None, None, None)
            for key, kind, at in [
                (PAYMENTS, "http", NOON),
                (PAYMENTS, "tls", NOON),
                (PAYMENTS, "http", NOON - timedelta(days=9)),
                (dev, "http", NOON),
            ]
        ]
    )

    facts = week_facts(reader, "2026-W47", ZoneInfo("UTC"))

    assert [(probe.environment, probe.checked_at) for probe in facts.probes] == [("production", NOON)]


def test_an_empty_week_has_no_totals(reader: SqliteFactReader) -> None:
    assert week_facts(reader, "2026-W47", ZoneInfo("UTC")).totals == {}
