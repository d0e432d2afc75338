"""What is probed, and how results reach the collector."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from monitor.clock import SystemClock
from monitor.collector.wire import ProbeIn, QueueIn
from monitor.config import Document
from monitor.errors import Unavailable
from monitor.model import ProbeKind, ProbeResult, QueueSample
from monitor.probes.queues.target import QueueKind
from monitor.probes.target import ProbeTarget
from monitor.replay.secrets import sealed_secret
from monitor.seal import Sealer
from monitor.store.control import Control, upgrade
from monitor.store.control.catalog import Endpoint, ManagedBy, ProbeSettings
from monitor.wiring.probes import (
    CollectorReport,
    Looker,
    canary_plan_of,
    plan_of,
    sampling_plan_of,
    secrets_of,
)
from tests.alerts.support import Service, serving
from tests.monitor.probes.authority import issue, showing

AT = datetime(2026, 11, 21, tzinfo=UTC)
RESULT = ProbeResult("production", "stripe", "payments", ProbeKind.HTTP, False, AT, error="refused")


def endpoint(name: str, url: str | None, probe: ProbeSettings = ProbeSettings()) -> Endpoint:
    return Endpoint("production", "stripe", name, ManagedBy.API, AT, url=url, probe=probe)


def test_every_endpoint_with_a_url_that_wants_it_is_probed() -> None:
    plan = plan_of(
        Document(),
        [
            endpoint("a", "https://a.example/hook"),
            endpoint("b", None),
            endpoint("c", "https://c.example/hook", ProbeSettings(False)),
            endpoint("d", "https://d.example/hook", ProbeSettings(url="https://d.example/health")),
        ],
    )
    assert [(target.endpoint, target.url) for target in plan.targets] == [
        ("a", "https://a.example/hook"),
        ("d", "https://d.example/health"),
    ]


def test_the_api_of_a_provider_is_looked_at_once_for_all_its_endpoints() -> None:
    """Practice 7."""
    document = Document.model_validate({"sources": [{"name": "stripe", "api_host": "api.stripe.example"}]})
    plan = plan_of(document, [endpoint("b", "https://b.example/"), endpoint("a", "https://a.example/")])
    [found] = [target for target in plan.targets if ProbeKind.PROVIDER in target.looks]
    assert (found.endpoint, found.url, found.looks) == (
        "a",
        "https://api.stripe.example/",
        (ProbeKind.PROVIDER,),
    )


@pytest.mark.parametrize(
    "host", ["https://api.example.com", "api.example.com/v1", "a b", "", "u@host", "h:0"]
)
def test_an_api_host_is_a_host_and_no_more(host: str) -> None:
    with pytest.raises(ValueError, match="expected a host such as"):
        Document.model_validate({"sources": [{"name": "stripe", "api_host": host}]})


def test_an_endpoint_is_asked_as_a_stranger_only_where_that_is_wanted() -> None:
    looks = [
        target.looks
        for target in plan_of(
            Document(),
            [
                endpoint("a", "http://a.example/hook"),
                endpoint("b", "http://b.example/hook", ProbeSettings(exposure=True)),
            ],
        ).targets
    ]
    assert looks == [(ProbeKind.HTTP,), (ProbeKind.HTTP, ProbeKind.UNSIGNED, ProbeKind.METHOD)]


def test_each_kind_of_look_is_made_as_its_kind() -> None:
    with serving(Service(status=401)) as service:
        target = ProbeTarget("production", "stripe", "payments", service.url.replace("http", "https"))
        plain = ProbeTarget("production", "stripe", "payments", service.url)
        looker = Looker(("127.0.0.0/8",), SystemClock())
        assert looker(plain, ProbeKind.UNSIGNED, 5).kind is ProbeKind.UNSIGNED
        assert looker(plain, ProbeKind.METHOD, 5).kind is ProbeKind.METHOD
        assert looker(target, ProbeKind.PROVIDER, 5).kind is ProbeKind.PROVIDER


def test_private_endpoint_is_dialled_only_where_the_document_allows_it() -> None:
    with serving(Service()) as service:
        target = ProbeTarget("production", "stripe", "payments", service.url)
        assert not Looker((), SystemClock())(target, ProbeKind.HTTP, 5).ok
        assert Looker(("127.0.0.0/8",), SystemClock())(target, ProbeKind.HTTP, 5).ok


def test_results_are_posted_with_the_key_in_the_collectors_form() -> None:
    with serving(Service()) as collector:
        CollectorReport(collector.url + "/", "hv_a_b")([RESULT])
    [seen] = collector.seen
    assert (seen.method, seen.path, seen.headers["authorization"]) == (
        "POST",
        "/api/v1/probes",
        "Bearer hv_a_b",
    )
    [sent] = msgspec.json.decode(seen.body, type=list[ProbeIn])
    assert (sent.endpoint, sent.ok, sent.error) == ("payments", False, "refused")


@pytest.mark.parametrize("status", [401, 503])
def test_refusing_collector_is_an_error_that_says_what_it_answered(status: int) -> None:
    with serving(Service(status=status, body=b"no")) as collector, pytest.raises(Unavailable) as refused:
        CollectorReport(collector.url, "hv_a_b")([RESULT])
    assert f"answered {status}" in str(refused.value)


QUEUE = {
    "source": "stripe",
    "endpoint": "payments",
    "kind": "celery",
    "url": "redis://broker.example:6379/1",
    "queue": "events",
    "password": {"env": "BROKER_PASSWORD"},
}


def test_a_queue_of_the_file_is_asked_with_its_password() -> None:
    document = Document.model_validate({"queues": [QUEUE, {**QUEUE, "name": "paid", "queue": "p"}]})
    first, second = sampling_plan_of(document, {"BROKER_PASSWORD": "sesame"}).queues
    assert (first.name, first.kind, first.password) == ("events", QueueKind.CELERY, "sesame")
    assert (second.name, second.queue) == ("paid", "p")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "redis://:pw@broker.example/1"}, "without a user name or password"),
        ({"url": "redis://broker.example/events"}, "expected the number of a database"),
        ({"url": "amqp://broker.example"}, "expected a URL such as redis://host"),
        ({"kind": "rabbitmq"}, "the url of a rabbitmq queue begins with http://"),
        ({"kind": "rq", "url": "http://broker.example"}, "the url of a rq queue begins with redis://"),
        ({"kind": "sqs"}, "redis_list"),
    ],
)
def test_a_queue_that_cannot_be_asked_is_refused_when_the_file_is_read(
    change: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Document.model_validate({"queues": [{**QUEUE, **change}]})


def test_samples_are_posted_in_the_collectors_form() -> None:
    sample = QueueSample("production", "stripe", "payments", "inbox", 12, 1.5, AT)
    with serving(Service()) as collector:
        CollectorReport(collector.url, "hv_a_b").queues([sample])
    [seen] = collector.seen
    [sent] = msgspec.json.decode(seen.body, type=list[QueueIn])
    assert (seen.path, sent.queue, sent.depth, sent.oldest_age_s) == ("/api/v1/queues", "inbox", 12, 1.5)


def test_an_authority_of_ones_own_is_trusted_once_it_is_named_and_read_anew_when_it_changes(
    tmp_path: Path,
) -> None:
    ours, other = issue("Our own", ca=True), issue("Another", ca=True)
    ca_file, target = tmp_path / "own.pem", ProbeTarget("production", "stripe", "payments", "")
    ca_file.write_bytes(other.pem)
    with showing(tmp_path, issue("127.0.0.1", ours)) as port:
        target = replace(target, url=f"https://127.0.0.1:{port}/")

        def trusted(ca_file: str | None) -> bool:
            return Looker(("127.0.0.0/8",), SystemClock(), ca_file)(target, ProbeKind.TLS, 5).ok

        assert not trusted(None)
        assert not trusted(str(ca_file))
        ca_file.write_bytes(ours.pem)
        os.utime(ca_file, ns=(1, 1))
        assert trusted(str(ca_file))
        found = Looker(("127.0.0.0/8",), SystemClock(), str(ca_file))(target, ProbeKind.HTTP, 5)
        assert "certificate refused" not in (found.error or "")


@pytest.mark.parametrize("kind", [ProbeKind.HTTP, ProbeKind.TLS])
def test_a_file_of_no_certificates_is_named(tmp_path: Path, kind: ProbeKind) -> None:
    missing = str(tmp_path / "missing.pem")
    with showing(tmp_path, issue("127.0.0.1")) as port:
        target = ProbeTarget("production", "stripe", "payments", f"https://127.0.0.1:{port}/")
        found = Looker(("127.0.0.0/8",), SystemClock(), missing)(target, kind, 5)
    assert not found.ok
    assert f"{missing} holds no certificates" in (found.error or "")


def test_canaries_go_where_they_are_wanted_signed_with_the_endpoints_own_secret(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    upgrade(url)
    control, sealer = Control.open(url, SystemClock()), Sealer(b"k" * 32)
    sealed = sealed_secret(sealer, "whsec_c2VjcmV0", "production", "stripe", "a")
    wanted = replace(
        endpoint("a", "https://a.example/hook", ProbeSettings(canary=True)), replay_secret=sealed
    )
    bare = endpoint("b", "https://b.example/hook", ProbeSettings(canary=True))
    with control.write() as tx:
        for one in (wanted, bare, endpoint("c", "https://c.example/hook")):
            control.catalog.put_endpoint(tx, one, AT)
    first, second = canary_plan_of(Document(), control.catalog.endpoints()).targets
    secret_of = secrets_of(control.catalog, sealer)
    assert (first.endpoint, secret_of(first), second.endpoint) == ("a", "whsec_c2VjcmV0", "b")
    with pytest.raises(ValueError, match="the endpoint has no replay_secret"):
        secret_of(second)
    with pytest.raises(ValueError, match="sealed with another key"):
        secrets_of(control.catalog, Sealer(b"x" * 32))(first)
    control.close()
