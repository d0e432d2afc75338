"""The HTTP probe against a real server on loopback."""

import msgspec
import pytest

from alerts.egress import Egress
from alerts.http import Client
from monitor.clock import SystemClock
from monitor.collector.wire import ProbeIn
from monitor.model import ProbeResult
from monitor.probes.http import probe_http
from monitor.probes.target import ProbeTarget, result_fields
from tests.alerts.support import Service, loopback_egress, serving
from tests.ports import free_port


def probe(url: str, statuses: tuple[int, ...] = (), egress: Egress | None = None) -> ProbeResult:
    target = ProbeTarget("production", "stripe", "payments", url, "GET", statuses)
    return probe_http(target, Client(egress or loopback_egress()), SystemClock(), 5)


@pytest.mark.parametrize(
    ("status", "up"), [(200, True), (301, True), (405, True), (500, False), (503, False)]
)
def test_any_answer_below_500_is_up(status: int, up: bool) -> None:
    with serving(Service(status=status)) as service:
        found = probe(service.url)
    assert (found.ok, found.http_status) == (up, status)
    assert found.latency_ms is not None
    assert found.latency_ms > 0


def test_stated_statuses_decide_alone() -> None:
    with serving(Service(status=404)) as service:
        assert not probe(service.url, (200, 405)).ok
        assert probe(service.url, (404,)).ok


def test_closed_port_is_down_and_says_why() -> None:
    port = free_port()
    found = probe(f"http://127.0.0.1:{port}/")
    assert (found.ok, found.http_status) == (False, None)
    assert "could not connect" in (found.error or "")


def test_private_address_is_not_dialled_unless_allowed() -> None:
    with serving(Service()) as service:
        found = probe(service.url, egress=Egress())
        assert service.seen == []
    assert "egress.allow" in (found.error or "")


def test_result_is_what_the_collector_takes() -> None:
    with serving(Service()) as service:
        found = probe(service.url)
    sent = msgspec.convert(result_fields(found), ProbeIn)
    assert (sent.source, sent.endpoint, sent.kind, sent.ok, sent.http_status) == (
        "stripe",
        "payments",
        "http",
        True,
        200,
    )
