"""The overview says what the records say."""

from datetime import timedelta

from monitor.figures import Rate
from monitor.model import Outcome, SeriesKey
from monitor.queries.overview import overview
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory, mixed

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAYMENTS = SeriesKey("production", "stripe", "payments")


def test_every_tile_counts_its_window_alone(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make.delivery(at=NOON) for _ in range(9)])
    fill.add([make.delivery(Outcome.FAILED, NOON + MINUTE, http_status=500), make(at=NOON - HOUR)])
    fill.add([make(at=NOON, environment="dev")])

    shown = overview(reader, "production", NOON - 30 * MINUTE, NOON + 30 * MINUTE)

    assert (shown.now.records, shown.before.records) == (10, 1)
    assert shown.now.error_rate == Rate(1, 10)
    assert shown.now.event_success == Rate(9, 9)
    assert shown.ack_success == Rate(9, 10)
    assert shown.top_errors == [("TimeoutError", 1)]


def test_endpoints_add_up_to_the_whole(fill: Filled, reader: SqliteFactReader) -> None:
    fill.add(mixed(500, over=20 * HOUR))

    shown = overview(reader, "production", NOON, NOON + DAY)

    rows = [row.now for row in shown.endpoints]
    assert shown.now.records == 500 == sum(row.records for row in rows)
    assert shown.now.deliveries == sum(row.deliveries for row in rows)
    assert shown.now.error_rate.part == sum(row.error_rate.part for row in rows)
    assert shown.now.process_ms.count == sum(row.process_ms.count for row in rows)


def test_the_chart_covers_the_window_and_adds_up_to_its_tile(fill: Filled, reader: SqliteFactReader) -> None:
    fill.add(mixed(300, over=6 * HOUR))

    shown = overview(reader, "production", NOON, NOON + 6 * HOUR, most_points=24)

    assert shown.chart.step == 15 * MINUTE
    assert [at for at, _ in shown.chart.points] == [NOON + i * 15 * MINUTE for i in range(24)]
    assert sum(figures.records for _, figures in shown.chart.points) == shown.now.records == 300


def test_a_step_without_records_is_there_and_has_no_rate(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(at=NOON)])

    shown = overview(reader, "production", NOON, NOON + HOUR, most_points=60)

    empty = shown.chart.points[30][1]
    assert (empty.records, empty.error_rate.share, empty.process_ms.quantile(0.95)) == (0, None, None)


def test_a_registered_endpoint_is_listed_though_silent(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(at=NOON)])
    silent = SeriesKey("production", "orum", "transfers")
    elsewhere = SeriesKey("dev", "orum", "transfers")

    shown = overview(reader, "production", NOON, NOON + HOUR, registered=[silent, elsewhere, PAYMENTS])

    assert [row.key for row in shown.endpoints] == [silent, PAYMENTS]
    assert shown.endpoints[0].last_record_at is None
    assert shown.endpoints[0].now.error_rate.share is None


def test_the_last_record_is_known_though_it_lies_before_the_window(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(at=NOON - 3 * DAY)])

    shown = overview(reader, "production", NOON, NOON + HOUR)

    assert shown.endpoints[0].last_record_at == NOON - 3 * DAY


def test_each_source_has_its_own_good_statuses(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make.delivery(http_status=200), make.delivery(http_status=201)])
    fill.add([make.delivery(http_status=200, source="orum", endpoint="transfers")])

    shown = overview(reader, "production", NOON, NOON + HOUR, expected={"stripe": (201,)})

    assert [row.now.ack_success for row in shown.endpoints] == [Rate(1, 1), Rate(1, 2)]
    assert shown.ack_success == Rate(2, 3)


def test_an_empty_store_is_no_data(reader: SqliteFactReader) -> None:
    shown = overview(reader, "production", NOON, NOON + HOUR)

    assert (shown.now.records, shown.now.event_success.share, list(shown.endpoints)) == (0, None, [])
