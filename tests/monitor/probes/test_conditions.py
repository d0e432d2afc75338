"""What an answer must hold, asked over a real connection."""

import pytest

from alerts.http import Client
from monitor.clock import SystemClock
from monitor.model import ProbeResult
from monitor.probes.http import probe_http
from monitor.probes.target import ProbeTarget
from monitor.store.control.catalog import Conditions
from tests.alerts.support import Service, loopback_egress, serving

BODY = b'{"status": "ready", "checks": [{"name": "db", "ok": true, "lag": 2}], "note": null}'


def probed(conditions: Conditions, body: bytes = BODY, statuses: tuple[int, ...] = ()) -> ProbeResult:
    with serving(Service(body=body, headers={"X-Build": "42"})) as service:
        target = ProbeTarget("production", "stripe", "payments", service.url, "GET", statuses, conditions)
        return probe_http(target, Client(loopback_egress()), SystemClock(), 5)


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(contains='"ready"'),
        Conditions(matches=r'"lag": \d\b'),
        Conditions(json=(("status", "ready"), ("checks.0.ok", True), ("checks.0.lag", 2.0))),
        Conditions(headers=(("x-build", "42"),)),
    ],
)
def test_an_answer_that_meets_its_conditions_is_up(conditions: Conditions) -> None:
    found = probed(conditions, statuses=(200,))
    assert (found.ok, found.error) == (True, None)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (Conditions(contains="all well"), 'its body does not contain "all well"'),
        (Conditions(matches="lag.*[1-9]{3}"), 'nothing in its body matches "lag.*[1-9]{3}"'),
        (Conditions(json=(("status", "live"),)), 'status in its JSON is "ready", not "live"'),
        (Conditions(json=(("checks.1.ok", True),)), "checks.1.ok in its JSON is missing, not true"),
        (Conditions(json=(("checks.0.ok", 1),)), "checks.0.ok in its JSON is true, not 1"),
        (Conditions(headers=(("X-Build", "43"),)), 'its header X-Build is "42", not "43"'),
        (Conditions(headers=(("X-Region", "eu"),)), 'its header X-Region is missing, not "eu"'),
    ],
)
def test_an_answer_that_does_not_is_down_and_says_which(conditions: Conditions, said: str) -> None:
    found = probed(conditions)
    assert (found.ok, found.http_status) == (False, 200)
    assert found.error == f"answered 200, but {said}"


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[" * 60_000, b'{"status": "ready"' + b" " * 70_000 + b"}"]
)
def test_a_body_that_is_no_json_of_64_kib_is_down(body: bytes) -> None:
    found = probed(Conditions(json=(("status", "ready"),)), body)
    assert found.error == "answered 200, but its body is no JSON of at most 64 KiB"


def test_a_status_that_was_not_asked_for_names_the_others() -> None:
    assert probed(Conditions(), statuses=(204, 405)).error == "answered 200, not 204 or 405"
