"""What Prometheus is told is what the store holds, and no counter ever falls."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from monitor.clock import to_us
from monitor.metrics import ControlCounts, FactMetrics, control_metrics, exposition
from monitor.model import Outcome, Reason, SeriesKey
from monitor.store.facts.protocol import FactReader
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.facts import NOON, Filled, RecordFactory, mixed, sqlite_facts
from tests.monitor.clocks import FakeClock

HOUR = timedelta(hours=1)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(reader: FactReader, clock: FakeClock | None = None) -> Samples:
    return samples_of(FactMetrics(reader, clock or FakeClock(NOON)))


def samples_of(metrics: FactMetrics) -> Samples:
    body, _ = exposition("text/plain", metrics)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def one(found: Samples, metric: str, **labels: str) -> float:
    given = {"environment": "production", "source": "stripe", **labels}
    return found[metric, frozenset(given.items())]


@pytest.mark.prometheus
def test_promtool_accepts_every_metric(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(mixed(300, over=HOUR))
        add_samples(fill, reader)
        body, _ = exposition("text/plain", FactMetrics(reader, FakeClock(NOON)))

    checked = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def add_samples(fill: Filled, reader: SqliteFactReader) -> None:
    """A queue sample, an HTTP and a TLS probe of stripe/payments, and a heartbeat."""
    codes = {key: code for code, key in reader.series().items()}
    code = codes[SeriesKey("production", "stripe", "payments")]
    ends = to_us(NOON + timedelta(days=30))
    fill.writer.append_queues([(code, "inbox", to_us(NOON), 7, 1_500_000)])
    fill.writer.append_probes(
        [
            (code, "http", to_us(NOON - HOUR / 2), 1, 200, 9_000, None, None, None, None),
            (code, "http", to_us(NOON), 0, 503, 20_000, "HTTP 503", None, None, None),
            (code, "tls", to_us(NOON), 1, None, None, None, ends, "CN=a", "CN=b"),
        ]
    )
    fill.writer.heartbeat("collector", to_us(NOON))


def test_the_four_common_names_count_by_type(tmp_path: Path) -> None:
    make = RecordFactory()
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([make.delivery(process_ms=ms) for ms in (0.5, 100.0, 3000.0)])
        fill.add([make.delivery(endpoint="refunds"), make(Outcome.FAILED), make(Outcome.DEAD_LETTERED)])
        fill.add([make(replay_id="rep_1"), make(canary=True)])
        found = scrape(reader)

    assert one(found, "webhooks_received_total", event_type="invoice.paid") == 4
    assert one(found, "webhooks_processed_total", event_type="invoice.paid") == 4
    assert one(found, "webhooks_failed_total", event_type="invoice.paid") == 2
    assert one(found, "webhook_processing_seconds_count") == 6
    assert one(found, "webhook_processing_seconds_sum") == pytest.approx(3.2205)


def test_histogram_buckets_count_exactly_up_to_their_bound(tmp_path: Path) -> None:
    make = RecordFactory()
    taken = [0.4, 0.9765625, 1.0, 62.5, 63.0, 1000.0, 1000.001, 128_000.0, 130_000.0]
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([make(process_ms=ms) for ms in taken])
        found = scrape(reader)

    for bound in ("0.0009765625", "0.0625", "1.0", "128.0", "+Inf"):
        expected = sum(round(ms * 1000) / 1e6 <= float(bound) for ms in taken)
        at = {"endpoint": "payments", "le": bound}
        assert one(found, "hookvitals_processing_seconds_bucket", **at) == expected, bound


def test_records_deliveries_and_rejections_have_bounded_labels(tmp_path: Path) -> None:
    make = RecordFactory()
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([make.delivery(http_status=status) for status in (200, 204, 500)])
        fill.add([make.delivery(Outcome.REJECTED, reason=Reason.UNKNOWN_KEY), make(replay_id="rep_1")])
        found = scrape(reader)

    at = {"endpoint": "payments"}
    assert one(found, "hookvitals_records_total", **at, outcome="succeeded") == 3
    assert one(found, "hookvitals_records_total", **at, outcome="dead_lettered") == 0
    assert one(found, "hookvitals_replayed_records_total", **at, outcome="succeeded") == 1
    assert one(found, "hookvitals_deliveries_total", **at, status_class="2xx") == 2
    assert one(found, "hookvitals_deliveries_total", **at, status_class="4xx") == 1
    assert one(found, "hookvitals_rejections_total", **at, reason="unknown_key") == 1
    names = {name for _, labels in found for name, _ in labels}
    assert names <= {
        "environment", "source", "endpoint", "event_type", "outcome", "reason", "status_class", "le", "queue",
        "kind",
    }  # fmt: skip


def test_the_latest_samples_and_probes_are_gauges(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([RecordFactory()(at=NOON)])
        add_samples(fill, reader)
        found = scrape(reader)

    at = {"endpoint": "payments"}
    assert one(found, "hookvitals_queue_depth", **at, queue="inbox") == 7
    assert one(found, "hookvitals_queue_oldest_age_seconds", **at, queue="inbox") == 1.5
    assert one(found, "hookvitals_probe_up", **at, kind="http") == 0
    assert one(found, "hookvitals_probe_up", **at, kind="tls") == 1
    assert one(found, "hookvitals_probe_duration_seconds", **at) == pytest.approx(0.02)
    ends = (NOON + timedelta(days=30)).timestamp()
    assert one(found, "hookvitals_certificate_expiry_timestamp_seconds", **at) == ends
    assert one(found, "hookvitals_last_record_timestamp_seconds", **at) == NOON.timestamp()
    assert found["hookvitals_collector_heartbeat_timestamp_seconds", frozenset()] == NOON.timestamp()
    assert found["hookvitals_facts_used_bytes", frozenset()] > 0


def test_counters_never_fall_over_folds_purges_and_restarts(tmp_path: Path) -> None:
    last: Samples = {}
    with sqlite_facts(tmp_path) as (fill, reader):
        for hour in range(4):
            fill.add(mixed(80, seed=hour + 1, start=NOON + hour * HOUR, over=HOUR))
            last = assert_grown(last, scrape(reader))
            fill.writer.fold()
            last = assert_grown(last, scrape(reader))
            while fill.writer.raise_floor(to_us(NOON + hour * HOUR + HOUR / 2), 20):
                last = assert_grown(last, scrape(reader))
    path = tmp_path / "facts.db"
    writer, reader = SqliteFactWriter(path, FakeClock(NOON)), SqliteFactReader(path)
    last = assert_grown(last, scrape(reader))
    Filled(writer).add(mixed(50, seed=9, start=NOON + 5 * HOUR, over=HOUR))
    last = assert_grown(last, scrape(reader))
    reader.close()
    writer.close()

    recorded = sum(value for (name, _), value in last.items() if name == "hookvitals_records_total")
    assert 200 < recorded <= 370  # all but replays and canaries


def assert_grown(before: Samples, now: Samples) -> Samples:
    """No counter that was there is gone or smaller; gives `now`."""
    for sample, value in before.items():
        if sample[0].endswith(("_total", "_bucket", "_count", "_sum")):
            assert now[sample] >= value, sample
    return now


def test_scrapes_close_together_read_the_store_once(tmp_path: Path) -> None:
    make, clock = RecordFactory(), FakeClock(NOON)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([make()])
        metrics = FactMetrics(reader, clock)
        counts = []
        for _ in range(3):
            found = samples_of(metrics)
            counts.append(one(found, "hookvitals_records_total", endpoint="payments", outcome="succeeded"))
            fill.add([make()])
            clock.move(timedelta(seconds=6))

    assert counts == [1, 1, 3]


def test_a_store_that_cannot_be_read_is_told_as_that(tmp_path: Path) -> None:
    found = scrape(SqliteFactReader(tmp_path / "none.db"))

    assert found == {("hookvitals_facts_up", frozenset()): 0.0}


def test_openmetrics_is_answered_where_it_is_asked_for(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(mixed(50, over=HOUR))
        body, content_type = exposition(
            "application/openmetrics-text; version=1.0.0", FactMetrics(reader, FakeClock(NOON))
        )

    assert content_type.startswith("application/openmetrics-text")
    families = parse_openmetrics(body.decode())  # type: ignore[no-untyped-call]
    assert "hookvitals_records" in {family.name for family in families}


def test_control_counts_are_gauges() -> None:
    payments = SeriesKey("production", "stripe", "payments")

    families: list[Metric] = list(control_metrics(ControlCounts({payments: 3}, {"critical": 1}, 2)))

    told = {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}
    assert told == {
        ("hookvitals_dead_letters_open", ("production", "stripe", "payments")): 3,
        ("hookvitals_alerts_firing", ("critical",)): 1,
        ("hookvitals_notifications_due", ()): 2,
    }
