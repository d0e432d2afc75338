"""The signed webhook, checked by a library that is not ours."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from alerts.channels.webhook import Webhook, signed
from alerts.errors import SettingInvalid
from alerts.http import Client
from alerts.model import State, Why
from tests.alerts.samples import EVIDENCE, alert, message
from tests.alerts.support import Seen, Service, loopback_egress, serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def sent(reason: Why = Why.FIRING, state: State = State.FIRING, age: timedelta = timedelta(0)) -> Seen:
    with serving(Service(status=204, body=b"")) as service:
        at = datetime.now(UTC) - age
        channel = Webhook("hook", f"{service.url}/in", SECRET, Client(loopback_egress()), now=lambda: at)
        channel.send(message(alert(state=state), reason))
    return service.seen[0]


def test_message_is_signed_so_that_the_official_library_takes_it() -> None:
    seen = sent()
    body = Verifier(SECRET).verify(seen.body, dict(seen.headers))
    assert body["type"] == "alert.firing"
    assert seen.headers["webhook-id"] == message().key


def test_signature_is_that_of_the_specifications_own_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    assert signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_signature_covers_body_and_time() -> None:
    seen = sent()
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(seen.body + b" ", dict(seen.headers))
    old = sent(age=timedelta(minutes=10))
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(old.body, dict(old.headers))


def test_body_says_what_fires_and_carries_the_evidence() -> None:
    data = json.loads(sent().body)["data"]
    assert data | {"url": "", "title": ""} == {
        "fingerprint": alert().fingerprint,
        "episode": 1,
        "alerts": [alert().fingerprint],
        "rule": "error_rate",
        "kind": "error_rate",
        "severity": "error",
        "state": "firing",
        "labels": dict(alert().labels),
        "title": "",
        "summary": EVIDENCE.summary,
        "firing_since": "2026-11-21T03:00:00+00:00",
        "resolved_at": None,
        "value": 0.124,
        "threshold": 0.05,
        "unit": "share",
        "top_errors": [{"name": "DatabaseTimeout", "count": 300}, {"name": "KeyError", "count": 10}],
        "records": ["0193f000-0000-7000-8000-000000000001"],
        "url": "",
        "acknowledge_url": "",
        "silence_url": "",
        "runbook": "https://runbooks.example/error-rate",
    }


def test_end_is_a_message_of_its_own_type() -> None:
    body = json.loads(sent(Why.RESOLVED, State.RESOLVED).body)
    assert (body["type"], body["data"]["resolved_at"]) == ("alert.resolved", "2026-11-21T03:32:00+00:00")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64 at all!", "whsec_ümläut"])
def test_secret_that_is_none_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(SettingInvalid, match="openssl rand") as refused:
        Webhook("hook", "https://a.example/", secret, Client(loopback_egress()))
    assert len(secret) < 8 or secret not in str(refused.value)
