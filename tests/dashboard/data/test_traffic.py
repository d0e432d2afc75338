"""Every number of the overview and of an endpoint, against one counted from the stored records alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard import format as fmt
from dashboard.components.rounded import rounded
from dashboard.data import traffic
from dashboard.data.catalog import Catalog
from dashboard.pages.overview import rows, tiles
from dashboard.scope import Scope
from dashboard.views import Figures, OverviewView
from monitor.clock import to_us
from monitor.config.document import Document
from monitor.histogram import RELATIVE_ERROR
from monitor.model import ATTEMPTS, Grain, Outcome, Record, SeriesKey
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, RecordFactory, mixed, sqlite_facts

HOUR = timedelta(hours=1)
NOW = NOON + HOUR - timedelta(seconds=20)
SCOPE = Scope("production", "1h")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Two adjoining hours: the one the screen shows, and the one it compares with."""
    return mixed(1500, seed=3, start=NOON - HOUR, over=HOUR) + mixed(2000, seed=4, start=NOON, over=HOUR)


@pytest.fixture(scope="module")
def reader(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteFactReader]:
    with sqlite_facts(tmp_path_factory.mktemp("facts")) as (fill, opened):
        fill.add(records[:2500])
        fill.writer.fold()
        fill.add(records[2500:])  # and some that no fold has taken yet
        yield opened


@pytest.fixture(scope="module")
def view(reader: SqliteFactReader) -> OverviewView:
    return traffic.overview(reader, Catalog(Document()), SCOPE, NOW, {}, {})


def recount(records: Sequence[Record]) -> Figures:
    """The figures counted from the records themselves, after the definitions in the documentation."""
    ordinary = [r for r in records if not r.canary and r.replay_id is None]
    outcomes = Counter(r.outcome for r in ordinary)
    good, dead, failed = (outcomes[o] for o in (Outcome.SUCCEEDED, Outcome.DEAD_LETTERED, Outcome.FAILED))
    answered = [r for r in ordinary if r.http_status]
    taken = [r for r in answered if r.outcome is not Outcome.REJECTED]
    times = sorted(r.process_ms for r in ordinary if r.outcome in ATTEMPTS and r.process_ms is not None)
    return Figures(
        records=len(records),
        deliveries=len(answered),
        outcomes={o: n for o, n in outcomes.items() if n},
        event_success=share(good, good + dead),
        error_rate=share(failed + dead, good + failed + dead),
        ack_success=share(sum(200 <= (r.http_status or 0) < 300 for r in taken), len(taken)),
        p50_ms=quantile(times, 0.5),
        p95_ms=quantile(times, 0.95),
        p99_ms=quantile(times, 0.99),
    )


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def quantile(times: Sequence[float], q: float) -> float | None:
    return times[max(1, -(-len(times) * round(q * 100) // 100)) - 1] if times else None


def within(records: Sequence[Record], start_at: object, end_at: object) -> list[Record]:
    return [r for r in records if start_at <= r.recorded_at < end_at]  # type: ignore[operator]


def assert_same(shown: Figures, counted: Figures) -> None:
    for name in ("records", "deliveries", "event_success", "error_rate", "ack_success"):
        assert getattr(shown, name) == getattr(counted, name), name
    assert dict(shown.outcomes) == dict(counted.outcomes)
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        wanted = getattr(counted, name)
        assert getattr(shown, name) == (wanted and pytest.approx(wanted, rel=RELATIVE_ERROR)), name


def test_the_totals_are_those_of_the_stored_records(view: OverviewView, records: list[Record]) -> None:
    assert_same(view.now, recount(within(records, NOON, NOON + HOUR)))


def test_the_comparison_is_with_the_hour_before(view: OverviewView, records: list[Record]) -> None:
    assert_same(view.before, recount(within(records, NOON - HOUR, NOON)))


def test_every_bucket_of_the_charts_is_counted_right(view: OverviewView, records: list[Record]) -> None:
    assert len(view.buckets) == 60
    for bucket in view.buckets:
        end_at = bucket.start_at + timedelta(minutes=1)
        assert_same(bucket.figures, recount(within(records, bucket.start_at, end_at)))


def test_every_endpoint_has_its_own_figures(view: OverviewView, records: list[Record]) -> None:
    places = {(r.source, r.endpoint) for r in records}
    assert {(line.source, line.endpoint) for line in view.endpoints} == places
    for line in view.endpoints:
        own = [r for r in records if (r.source, r.endpoint) == (line.source, line.endpoint)]
        assert_same(line.figures, recount(within(own, NOON, NOON + HOUR)))
        newest = max(r.recorded_at for r in own)
        assert line.last_record_at == newest.replace(second=0, microsecond=0)


def test_the_tiles_say_what_was_counted(view: OverviewView, records: list[Record]) -> None:
    counted = recount(within(records, NOON, NOON + HOUR))
    shown = {tile.label: tile.value for tile in tiles(view, SCOPE)}
    assert shown["Deliveries"] == fmt.compact(counted.deliveries)
    assert shown["Event success"] == fmt.percent(counted.event_success)
    assert shown["Attempt error rate"] == fmt.percent(counted.error_rate)
    assert shown["Ack success"] == fmt.percent(counted.ack_success)
    assert shown["p95 processing"] == fmt.millis(view.now.p95_ms)
    assert shown["Queue depth"] == "no data"


def test_an_endpoint_page_counts_its_types_errors_reasons_and_answers(
    reader: SqliteFactReader, records: list[Record]
) -> None:
    found = traffic.endpoint(reader, Catalog(Document()), SCOPE, "stripe", "payments", NOW, {}, {})
    assert found is not None
    mine = [r for r in records if (r.source, r.endpoint) == ("stripe", "payments")]
    own = within(mine, NOON, NOON + HOUR)
    ordinary = [r for r in own if not r.canary and r.replay_id is None]
    assert_same(found.line.figures, recount(own))
    assert_same(found.before, recount(within(mine, NOON - HOUR, NOON)))
    assert dict(found.errors) == Counter(r.error_class for r in ordinary if r.error_class)
    assert dict(found.reasons) == Counter(r.reason for r in ordinary if r.reason)
    assert dict(found.statuses) == Counter(r.http_status for r in ordinary if r.http_status)
    for name, one in found.types:
        typed = [r for r in ordinary if r.event_type == name]
        assert one.records == len(typed)
        assert one.succeeded == sum(r.outcome is Outcome.SUCCEEDED for r in typed)
        assert one.failed == sum(r.outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED) for r in typed)
        times = [r.process_ms for r in typed if r.outcome in ATTEMPTS and r.process_ms is not None]
        assert (one.min_ms, one.max_ms) == (min(times), max(times))
        assert one.avg_ms == pytest.approx(sum(times) / len(times))


def test_an_unknown_endpoint_is_none(reader: SqliteFactReader) -> None:
    assert traffic.endpoint(reader, Catalog(Document()), SCOPE, "stripe", "nowhere", NOW, {}, {}) is None


def test_a_silent_installation_shows_no_data_and_no_zero_percent(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (_, empty):
        view = traffic.overview(empty, Catalog(Document()), SCOPE, NOW, {}, {})
        shown = {tile.label: tile.value for tile in tiles(view, SCOPE)}
    assert {
        shown[name] for name in ("Event success", "Attempt error rate", "Ack success", "p95 processing")
    } == {"no data"}


def test_the_record_of_this_very_minute_is_on_the_screen(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([RecordFactory()(at=NOW - timedelta(seconds=1))])
        assert traffic.overview(reader, Catalog(Document()), SCOPE, NOW, {}, {}).now.records == 1


def test_alerts_and_letters_stand_at_their_endpoint_and_make_it_first(reader: SqliteFactReader) -> None:
    worst = SeriesKey("production", "stripe", "refunds")
    view = traffic.overview(reader, Catalog(Document()), SCOPE, NOW, {worst: 2}, {worst: 7})
    first = rows(view, SCOPE, NOW)[0]
    assert (first["endpoint"], first["status"], first["letters"]) == ("refunds", "2 firing", 7)
    assert (view.firing, view.open_letters) == (2, 7)


def queue_row(code: int, at_s: float, depth: int) -> tuple[int, str, int, int, int | None]:
    return code, "inbox", to_us(NOW + timedelta(seconds=at_s)), depth, 12_000_000


def test_queue_depth_is_the_latest_sample_of_each_queue_summed(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, reader):
        one, other = (SeriesKey("production", "orum", name) for name in ("transfers", "payouts"))
        codes = fill.writer.intern_series([one, other], to_us(NOW))
        samples = [(one, -600, 9), (one, -10, 4), (other, -30, 5)]
        fill.writer.append_queues([queue_row(codes[key], at_s, depth) for key, at_s, depth in samples])
        view = traffic.overview(reader, Catalog(Document()), SCOPE, NOW, {}, {})
    assert view.queue_depth == 9
    assert view.queue_depths[-1] == 9.0
    assert view.queue_depths[-5] == 9.0  # ten minutes ago one queue held nine, of the other nothing is known
    assert view.queue_depths[0] is None
    assert {line.endpoint: line.queue_depth for line in view.endpoints} == {"payouts": 5, "transfers": 4}


def test_a_registered_endpoint_is_shown_before_it_was_ever_called(tmp_path: Path) -> None:
    catalog = Catalog(Document(), [SeriesKey("production", "orum", "transfers")])
    with sqlite_facts(tmp_path) as (_, reader):
        view = traffic.overview(reader, catalog, SCOPE, NOW, {}, {})
    assert [(line.source, line.endpoint) for line in view.endpoints] == [("orum", "transfers")]
    assert rows(view, SCOPE, NOW)[0]["status"] == "no data"


def test_filters_offer_every_name_there_is(reader: SqliteFactReader, records: list[Record]) -> None:
    offered = traffic.choices(reader, "production")
    assert offered.sources == sorted({r.source for r in records})
    assert offered.endpoints == sorted({r.endpoint for r in records})
    assert set(offered.types) >= {r.event_type for r in records}
    assert offered.errors == sorted({r.error_class for r in records if r.error_class and is_counted(r)})


def is_counted(record: Record) -> bool:
    return not record.canary and record.replay_id is None


def test_the_threshold_line_is_the_rule_that_watches_every_source() -> None:
    assert Catalog(Document()).error_threshold("production") == 0.05
    stricter = Document.model_validate({"rules": [{"kind": "error_rate", "threshold": 0.02}]})
    assert Catalog(stricter).error_threshold("production") == 0.02
    assert Catalog(stricter).error_threshold("staging") is None


def test_a_range_that_begins_below_the_floor_is_counted_whole_and_said_to_be(tmp_path: Path) -> None:
    many = mixed(900, seed=5, start=NOON - 5 * HOUR, over=6 * HOUR)
    scope, now = Scope("production", "6h"), NOON + HOUR - timedelta(minutes=20)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(many)
        fill.writer.fold()
        while fill.writer.raise_floor(to_us(NOON - HOUR), 500):
            pass
        fill.writer.prune()
        shown = traffic.overview(reader, Catalog(Document()), scope, now, {}, {})
        one = traffic.endpoint(reader, Catalog(Document()), scope, "stripe", "payments", now, {}, {})

    assert one is not None
    start_at = NOON - 6 * HOUR
    assert (shown.start_at, shown.rounded_to) == (start_at, Grain.HOUR) == (one.start_at, one.rounded_to)
    until = now + timedelta(minutes=1)
    inside = [record for record in many if start_at <= record.recorded_at < until]
    assert shown.now.records == len(inside)
    payments = [r for r in inside if (r.source, r.endpoint) == ("stripe", "payments")]
    assert one.line.figures.records == len(payments)
    (told,) = rounded(shown.rounded_to, shown.start_at)
    assert "Counted in whole hours from 2026-11-18 06:00 UTC." in str(told)


def test_a_range_above_the_floor_says_nothing_of_rounding(view: OverviewView) -> None:
    assert view.rounded_to is None
    assert rounded(view.rounded_to, view.start_at) == []
