"""A canary the whole way: a receiver of the SDK, a collector over a real store, and the facts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.http import Client
from hookvitals import Receiver, Shipper
from hookvitals.integrations.wsgi import application
from monitor.clock import SystemClock
from monitor.model import ProbeKind, ProbeResult, SeriesKey
from monitor.probes.canary import arrived, lost, send_canary
from monitor.probes.target import ProbeTarget
from monitor.queries.windows import StoredObservations
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.alerts.support import Service, loopback_egress, serving
from tests.alerts.world import PAYMENTS
from tests.monitor.collector.fronts import Stand, stand
from tests.sdk.collector import KEY, collecting
from tests.sdk.integrations.serving import served

SIGNING = "whsec_c3RyaXBlIHNpZ25zIHdpdGggdGhpcyBzZWNyZXQ="
REPLAY = "whsec_cmVwbGF5IHNlY3JldCBvZiB0aGlzIGVuZHBvaW50"


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Stand]:
    made = stand(tmp_path)
    made.clock.at = datetime.now(UTC)
    yield made
    made.store.close()


@contextmanager
def receiving(collector: Stand) -> Iterator[tuple[ProbeTarget, Callable[[], None]]]:
    """An endpoint, and a call after which all that it shipped is stored by the collector."""
    with collecting() as (mailbag, reports_to):
        shipper = Shipper(reports_to, KEY)
        receiver = Receiver(
            "stripe", endpoint="payments", secrets=[SIGNING], replay_secret=REPLAY, shipper=shipper
        )

        def deliver() -> None:
            assert shipper.flush(10)
            assert collector.send(*mailbag.records)["rejected"] == []

        with served(application(receiver)) as port:
            yield ProbeTarget("production", "stripe", "payments", f"http://127.0.0.1:{port}/hook"), deliver
        receiver.close()
        shipper.close()


def sent(target: ProbeTarget, name: str, secret: str = REPLAY) -> ProbeResult:
    client = Client(loopback_egress())
    return send_canary(target, name, lambda _: secret, client, SystemClock(), 5)


def test_a_canary_arrives_and_is_in_no_figure(collector: Stand) -> None:
    with receiving(collector) as (target, deliver):
        reader = SqliteFactReader(collector.front.settings.facts_path)
        assert not arrived(target, "can_1", reader)
        result = sent(target, "can_1")
        deliver()
        assert (result.kind, result.ok, result.http_status) == (ProbeKind.CANARY, True, 200)
        assert arrived(target, "can_1", reader)
    now = datetime.now(UTC)
    seen = StoredObservations(reader, now)
    window = seen.window(PAYMENTS, now - timedelta(hours=1), now)
    assert (window.succeeded, window.deliveries, window.answers) == (0, 0, {})
    assert (seen.last_event_at(PAYMENTS), seen.types(PAYMENTS)) == (None, [])
    assert SeriesKey("production", "stripe", "payments") in reader.series().values()


def test_a_canary_signed_with_another_secret_is_refused_and_leaves_no_canary(collector: Stand) -> None:
    with receiving(collector) as (target, deliver):
        result = sent(target, "can_2", SIGNING)
        deliver()
        reader = SqliteFactReader(collector.front.settings.facts_path)
        assert (result.ok, result.http_status) == (False, 401)
        assert result.error == "a signed canary was refused with 401: is its replay_secret the receiver's?"
        assert not arrived(target, "can_2", reader)


def test_an_endpoint_that_answers_without_reporting_is_a_broken_way() -> None:
    with serving(Service(status=202)) as service:
        target = ProbeTarget("production", "stripe", "payments", service.url)
        result = lost(sent(target, "can_3"), timedelta(seconds=60))
    assert (result.ok, result.http_status) == (False, 202)
    assert result.error == (
        "a canary was answered 202, but left no record within 60 s: "
        "the way from the receiver to the collector is broken"
    )


def test_without_a_secret_nothing_is_sent_and_no_error_shows_one() -> None:
    with serving(Service()) as service:
        target = ProbeTarget("production", "stripe", "payments", service.url)
        result = sent(target, "can_4", "whsec_not base64!")
        assert service.seen == []
    assert not result.ok
    assert result.error is not None
    assert "not base64" not in result.error
