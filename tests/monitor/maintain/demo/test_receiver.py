"""The demo's receiver takes what the demo's providers sign, and fails when its ledger does."""

import base64
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hookvitals import Receiver
from monitor.maintain.demo.ledger import Ledger
from monitor.maintain.demo.receiver import ENDPOINTS, ReceiverSettings, application
from monitor.maintain.demo.signing import Orum, Sign, hopnow, standard
from monitor.maintain.demo.traffic import Event, Fault, Provider
from tests.alerts.support import Service, serving

WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
ORUM = Orum()
SIGN: dict[str, Sign] = {"acme": standard(WHSEC), "hopnow": hopnow("secret"), "orum": ORUM.sign}
PATHS = {source: path for source, _, path in ENDPOINTS}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as running:
        yield running


@pytest.fixture
def receivers(tmp_path: Path, ledger: Ledger) -> Iterator[tuple[FlaskClient, list[Receiver]]]:
    secrets = {"acme": WHSEC, "hopnow": "secret", "orum": ORUM.public_key}
    with serving(Service(body=b'{"accepted": 1, "duplicates": 0, "rejected": []}')) as collector:
        settings = ReceiverSettings(0, str(tmp_path), collector.url, "hv_a_b", ledger.url, secrets, WHSEC)
        app, receivers = application(settings)
        yield app.test_client(), receivers
        for receiver in receivers:
            receiver.close()


def deliver(client: FlaskClient, event: Event, forged: bool = False) -> int:
    headers = dict(SIGN[event.source](event.event_id, datetime.now(UTC), event.body, event.fields))
    body = event.body[:-1] + b" }" if forged else event.body
    return client.post(PATHS[event.source], data=body, headers=headers).status_code


@pytest.mark.parametrize("source", PATHS)
def test_each_provider_is_answered_2xx_and_its_forgeries_are_refused(
    source: str, receivers: tuple[FlaskClient, list[Receiver]]
) -> None:
    client, _ = receivers
    provider = Provider(source, random.Random(1))
    now = datetime.now(UTC)
    assert deliver(client, provider.next(now, Fault.NONE)) == 200
    assert deliver(client, provider.next(now, Fault.NONE), forged=True) == 401


def test_broken_ledger_fails_what_is_answered_after_the_work(
    receivers: tuple[FlaskClient, list[Receiver]], ledger: Ledger
) -> None:
    client, _ = receivers
    provider = Provider("hopnow", random.Random(1))
    ledger.broken.set()
    event = provider.next(datetime.now(UTC), Fault.NONE)
    assert deliver(client, event) == 500
    ledger.broken.clear()
    assert deliver(client, event) == 200


def test_settings_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "receiver.json"
    ReceiverSettings(0, "d", "c", "k", "l", {}, "r").write(file)
    assert file.stat().st_mode & 0o077 == 0


def test_traffic_meets_every_outcome(receivers: tuple[FlaskClient, list[Receiver]]) -> None:
    client, _ = receivers
    provider = Provider("orum", random.Random(3))
    statuses = Counter(
        deliver(client, provider.next(datetime.now(UTC), fault), forged=fault is Fault.FORGED)
        for fault in (Fault.NONE, Fault.DUPLICATE, Fault.FORGED, Fault.OUT_OF_ORDER)
    )
    assert statuses == {200: 3, 401: 1}
