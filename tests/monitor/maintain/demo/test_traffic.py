"""The demo's traffic: every fault occurs, and each request is signed as its provider's documents say."""

import base64
import hashlib
import hmac
import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from standardwebhooks import Webhook

from monitor.maintain.demo.signing import Orum, hopnow, standard
from monitor.maintain.demo.traffic import BURST, BURST_EVERY_S, PER_SECOND, Fault, Provider, due, faults

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def test_every_fault_occurs_and_most_requests_have_none() -> None:
    counts = Counter(itertools.islice(faults(random.Random(1)), 2000))
    assert set(counts) == set(Fault)
    assert counts[Fault.NONE] > 1500


def test_traffic_is_steady_with_bursts() -> None:
    assert due(10, 0) == 10 * PER_SECOND
    before, after = due(BURST_EVERY_S - 0.01, 0), due(BURST_EVERY_S, 0)
    assert after - before >= BURST
    assert due(10, 1000) == 0


def test_duplicate_is_the_latest_event_once_more() -> None:
    provider = Provider("acme", random.Random(1))
    first = provider.next(AT, Fault.NONE)
    assert provider.next(AT + timedelta(seconds=5), Fault.DUPLICATE) == first


def test_out_of_order_event_changes_its_object_in_the_past() -> None:
    provider = Provider("orum", random.Random(1))
    late = provider.next(AT, Fault.OUT_OF_ORDER).fields
    assert late["event_data"]["updated_at"] < late["created_at"]


@pytest.mark.parametrize("with_library", [True, False])
def test_standard_webhooks_verify_with_their_library(with_library: bool) -> None:
    now = datetime.now(UTC)  # what is older than five minutes the library refuses
    event = Provider("acme", random.Random(1)).next(now, Fault.NONE)
    headers = standard(SECRET, with_library=with_library)(event.event_id, now, event.body, event.fields)
    assert Webhook(SECRET).verify(event.body, dict(headers))["type"] == event.fields["type"]


def test_hopnow_signs_the_body_in_hex() -> None:
    event = Provider("hopnow", random.Random(1)).next(AT, Fault.NONE)
    headers = hopnow("secret")(event.event_id, AT, event.body, event.fields)
    expected = hmac.new(b"secret", event.body, hashlib.sha256).hexdigest()
    assert headers == {"X-Webhook-Signature": f"sha256={expected}"}


def test_orum_signs_body_and_created_at() -> None:
    orum = Orum()
    event = Provider("orum", random.Random(1)).next(AT, Fault.NONE)
    signature = base64.b64decode(orum.sign(event.event_id, AT, event.body, event.fields)["Signature"])
    key = serialization.load_pem_public_key(orum.public_key.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    signed = event.body + str(event.fields["created_at"]).encode()
    key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
