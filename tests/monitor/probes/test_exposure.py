"""What a stranger is answered: practices 9 and 10. Each kind of refusal is met over a real connection; the
receiver's own is that of the SDK."""

import json
import re

import pytest

from alerts.http import Client
from hookvitals import Receiver, Shipper
from hookvitals.integrations.wsgi import application
from monitor.clock import SystemClock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.exposure import probe_method, probe_unsigned
from monitor.probes.target import ProbeTarget
from tests.alerts.support import Service, loopback_egress, serving
from tests.ports import free_port
from tests.sdk.collector import KEY, collecting
from tests.sdk.integrations.serving import served


def target(url: str, health_url: str | None = None) -> ProbeTarget:
    return ProbeTarget("production", "stripe", "payments", health_url or url, hook_url=url)


def unsigned(url: str) -> ProbeResult:
    return probe_unsigned(target(url), Client(loopback_egress()), SystemClock(), 5)


def answered(status: int, body: bytes = b"", **headers: str) -> ProbeResult:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with serving(Service(status=status, headers=named, body=body)) as service:
        return unsigned(service.url)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, {}),
        (400, {}),
        (401, {"Content_Type": "application/problem+json", "Server": "cloudflare"}),
        (403, {"Content_Type": "application/problem+json"}),
        (401, {"WWW_Authenticate": "Signature"}),
    ],
)
def test_a_refusal_of_the_receiver_is_good(status: int, headers: dict[str, str]) -> None:
    found = answered(status, b'{"code": "missing_signature"}', **headers)
    assert (found.ok, found.error, found.http_status) == (True, None, status)


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (
            401,
            {"WWW_Authenticate": 'Basic realm="x"'},
            b"",
            "refused by a login, .*401 asks for a Basic login",
        ),
        (401, {"WWW_Authenticate": "Bearer"}, b"", "refused by a login, .*Bearer"),
        (407, {}, b"", "refused by a login"),
        (302, {"Location": "https://sso.example/login?next=/hook"}, b"", "redirected with 302 to a login"),
        (301, {"Location": "https://www.example/hook"}, b"", "redirected with 301: no provider follows"),
        (403, {"Server": "cloudflare"}, b"", "refused by Cloudflare"),
        (403, {"x_amzn_waf_action": "block"}, b"", "refused by AWS WAF"),
        (403, {}, b"<h1>Request blocked</h1>", "refused by a firewall"),
        (403, {}, b"no", "not clear who refused it"),
        (404, {}, b"", "answered 404, not 401 or 400"),
        (502, {}, b"", "a proxy without its receiver: 502"),
        (503, {"Server": "awselb/2.0"}, b"", r"a proxy \(the AWS load balancer\) without its receiver"),
    ],
)
def test_a_refusal_of_anybody_else_says_whose_it_is(
    status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    found = answered(status, body, **headers)
    assert not found.ok
    assert found.error is not None
    assert re.search(said, found.error), found.error


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_unsigned_post_that_is_accepted_is_the_worst(status: int) -> None:
    found = answered(status)
    assert found.error == f"an unsigned POST was accepted with {status}: anybody can make events"


def test_the_request_carries_no_signature_and_goes_where_events_go() -> None:
    with serving(Service(status=401)) as service, serving(Service()) as health:
        aim = target(f"{service.url}/hook", health.url)
        probe_unsigned(aim, Client(loopback_egress()), SystemClock(), 5)
        probe_method(aim, Client(loopback_egress()), SystemClock(), 5)
    assert [(seen.method, seen.path) for seen in service.seen] == [("POST", "/hook"), ("GET", "/hook")]
    assert health.seen == []
    assert json.loads(service.seen[0].body)["type"] == "hookvitals.probe"
    assert not [name for name in service.seen[0].headers if "sign" in name or name == "authorization"]


@pytest.mark.parametrize(("status", "ok"), [(405, True), (200, False), (404, False)])
def test_a_get_must_be_refused_with_405(status: int, ok: bool) -> None:
    with serving(Service(status=status)) as service:
        found = probe_method(target(service.url), Client(loopback_egress()), SystemClock(), 5)
    assert (found.kind, found.ok) == (ProbeKind.METHOD, ok)
    assert (found.error is None) is ok


def test_no_answer_is_a_failure_without_a_status() -> None:
    port = free_port()
    found = unsigned(f"http://127.0.0.1:{port}/")
    assert (found.kind, found.ok, found.http_status) == (ProbeKind.UNSIGNED, False, None)


def test_a_receiver_of_the_sdk_passes_and_records_two_refusals() -> None:
    with collecting() as (collector, url):
        shipper = Shipper(url, KEY)
        receiver = Receiver(
            "stripe", endpoint="payments", secrets=["whsec_c3RyaXBlIHNpZ25zIHdpdGggdGhpcw=="], shipper=shipper
        )
        with served(application(receiver)) as port:
            aim, client = target(f"http://127.0.0.1:{port}/hook"), Client(loopback_egress())
            found = [probe(aim, client, SystemClock(), 5) for probe in (probe_unsigned, probe_method)]
        assert shipper.flush(10)
        receiver.close()
        shipper.close()
    assert [(result.ok, result.http_status, result.error) for result in found] == [
        (True, 401, None),
        (True, 405, None),
    ]
    assert [record["outcome"] for record in collector.records] == ["rejected", "rejected"]
