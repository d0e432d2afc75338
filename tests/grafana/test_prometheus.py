"""Each expression of the dashboard and the rules, run by a real Prometheus over a bad day, returns data."""

import json
import math
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from monitor.clock import SystemClock, to_us
from monitor.metrics import ControlCounts, FactMetrics, control_metrics, exposition
from monitor.model import Outcome, Reason, SeriesKey
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import Filled, RecordFactory, sqlite_facts
from tests.grafana.expressions import PROMETHEUS, dashboard_expressions
from tests.ports import free_port

pytestmark = pytest.mark.prometheus

PAYMENTS = SeriesKey("production", "stripe", "payments")
PATIENCE_S = 60.0
SCRAPES = 4


class Control(Collector):
    """What control would tell on such a day."""

    def collect(self) -> Iterator[Metric]:
        return control_metrics(ControlCounts({PAYMENTS: 3}, {"critical": 1}, 2))


@contextmanager
def serving(expose: Callable[[str], tuple[bytes, str]]) -> Iterator[str]:
    """An HTTP server whose every answer is a scrape; gives its address."""

    class Scraped(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, content_type = expose(self.headers.get("Accept", ""))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Scraped)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class Prometheus:
    """A running Prometheus on loopback."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed")
        self.address = f"127.0.0.1:{free_port()}"
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(PROMETHEUS / "rules.yml")],
            "scrape_configs": [{"job_name": "hookvitals", "static_configs": [{"targets": targets}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={self.address}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        found: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        with urlopen(f"http://{self.address}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)["data"]
        return found


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped a bad day several times; one target is dead, one has lost its store."""
    folder = tmp_path_factory.mktemp("prometheus")
    lost = SqliteFactReader(folder / "none.db")
    with sqlite_facts(folder) as (fill, reader):
        a_bad_day(fill)

        def well(accept: str) -> tuple[bytes, str]:
            # a collector of its own each time: a scrape may not be answered from memory here
            return exposition(accept, FactMetrics(reader, SystemClock()), Control())

        def badly(accept: str) -> tuple[bytes, str]:
            return exposition(accept, FactMetrics(lost, SystemClock()))

        with serving(well) as good, serving(badly) as bad:
            running = Prometheus(folder, [good, bad, f"127.0.0.1:{free_port()}"])
            try:
                until_scraped(running, fill)
                yield running
            finally:
                running.stop()


def a_bad_day(fill: Filled) -> None:
    """What is not counted: a deep queue, an endpoint down, a certificate near its end, an old heartbeat."""
    now = datetime.now(UTC)
    key = PAYMENTS
    code = fill.writer.intern_series([key], to_us(now))[key]
    fill.writer.append_queues([(code, "inbox", to_us(now), 5000, 2_000_000_000)])
    ends = to_us(now + timedelta(days=3))
    fill.writer.append_probes(
        [
            (code, "http", to_us(now), 0, 503, 20_000, "HTTP 503", None, None, None),
            (code, "tls", to_us(now), 1, None, None, None, ends, "CN=a", "CN=b"),
        ]
    )
    fill.writer.heartbeat("collector", to_us(now - timedelta(minutes=2)))


def until_scraped(prometheus: Prometheus, fill: Filled) -> None:
    """Adds traffic, most of it failing, until it was scraped SCRAPES times and the rules have run."""
    make = RecordFactory()
    deadline = time.monotonic() + PATIENCE_S
    seen = 0.0
    while seen < SCRAPES:
        assert time.monotonic() < deadline, "Prometheus did not scrape in time"
        traffic(fill, make)
        time.sleep(0.5)
        try:
            found = prometheus.query("max(count_over_time(hookvitals:event_failures:ratio_rate5m[1m]))")
        except (URLError, ConnectionError, TimeoutError):
            continue  # not up yet
        seen = float(found[0]["value"][1]) if found else 0.0


def traffic(fill: Filled, make: RecordFactory) -> None:
    now = datetime.now(UTC)
    fill.add([make.delivery(at=now, process_ms=9000.0, latency_ms=9000.0) for _ in range(20)])
    fill.add([make(outcome, now) for outcome in Outcome for _ in range(10)])
    fill.add([make.delivery(Outcome.REJECTED, now, reason=reason) for reason in Reason for _ in range(3)])
    fill.add([make(outcome, now, replay_id="rep_1") for outcome in (Outcome.SUCCEEDED, Outcome.FAILED)])


@pytest.mark.parametrize(("panel", "expression"), list(dashboard_expressions()), ids=lambda value: value[:40])
def test_every_panel_has_data(prometheus: Prometheus, panel: str, expression: str) -> None:
    found = prometheus.query(expression)

    assert found, panel
    assert not all(math.isnan(float(sample["value"][1])) for sample in found), panel


def test_every_rule_has_data_on_such_a_day(prometheus: Prometheus) -> None:
    rules = prometheus.rules()

    silent = [rule["name"] for rule in rules if not prometheus.query(rule["query"])]

    assert len(rules) >= 20
    assert silent == []
    assert {rule["health"] for rule in rules} == {"ok"}


def test_the_four_common_names_are_there(prometheus: Prometheus) -> None:
    for name in ("webhooks_received_total", "webhooks_processed_total", "webhooks_failed_total"):
        assert prometheus.query(f"sum by (event_type) (rate({name}[1m])) > 0"), name
    assert prometheus.query(
        "histogram_quantile(0.5, sum by (le) (rate(webhook_processing_seconds_bucket[1m]))) > 0"
    )


def test_the_dead_target_is_the_only_one_down(prometheus: Prometheus) -> None:
    assert sorted(float(sample["value"][1]) for sample in prometheus.query("up")) == [0.0, 1.0, 1.0]
