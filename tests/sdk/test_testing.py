"""`hookvitals.testing`: requests for every source and scheme, and records in memory. Practice 43."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hookvitals import PROFILES, SCHEMES, Receiver, VerificationError, make
from hookvitals.private_keys import new_private_key, private_key
from hookvitals.schemes import header_items
from hookvitals.secret import PROVIDER_ALONE, source_profile
from hookvitals.testing import (
    MemoryShipper,
    new_secret,
    received,
    signed_body,
    signed_request,
    unsigned_request,
)
from hookvitals.testing.signing import signs_time
from tests.sdk.world import NOW, SECRET

pytest_plugins = ["hookvitals.testing.pytest_plugin"]

SYSTEMS = sorted({*PROFILES, *SCHEMES} - {*PROVIDER_ALONE})
JOINED = {"adyen": "evt_1.invoice.paid.true", "hubspot": "evt_1.1", "hubspot_v1": "evt_1.1"}
"""Ids of sources that need several fields to name an event."""
URL = "https://hooks.example.com/webhooks/billing?account=7"


@pytest.fixture(scope="module")
def secrets() -> Mapping[str, Any]:
    """One for each source: RSA keys take their time."""
    return {system: new_secret(system) for system in SYSTEMS}


def verify(system: str, secret: str, headers: Any, body: bytes, *, now: float = NOW, url: str = URL) -> Any:
    profile = source_profile(system)
    scheme = make(profile.scheme, [secret], **profile.scheme_settings)
    return scheme.verify(header_items(headers), body, now, url)


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_signed_holds_for_a_fresh_secret_and_for_no_other(
    system: str, secrets: Mapping[str, Any]
) -> None:
    secret = secrets[system]
    headers, body = signed_request(system, secret.signing, "evt_1", "invoice.paid", now=NOW, url=URL)

    assert verify(system, secret.verifying, headers, body)
    with pytest.raises(VerificationError):
        verify(system, new_secret(system).verifying, headers, body)
    with pytest.raises(VerificationError):
        verify(system, secret.verifying, *unsigned_request(system, "evt_1", "invoice.paid", now=NOW))


@pytest.mark.parametrize("system", sorted(set(PROFILES) & set(SYSTEMS)))
def test_a_receiver_of_every_profile_handles_what_is_signed_for_it(
    system: str, secrets: Mapping[str, Any]
) -> None:
    shipper = MemoryShipper()
    receiver = Receiver(
        system, endpoint="orders", secrets=[secrets[system].verifying], allow_from=[],
        shipper=shipper, now=lambda: NOW, monotonic=lambda: NOW,
    )  # fmt: skip
    receiver.on("*")(lambda event: None)

    headers, body = signed_request(system, secrets[system].signing, "evt_1", "invoice.paid", now=NOW, url=URL)
    status, _, _ = receiver.handle("POST", URL, headers, body, "192.0.2.1")

    assert status == PROFILES[system].ack_status
    by_body = PROFILES[system].id_path == "body:sha256"
    event_id = hashlib.sha256(body).hexdigest() if by_body else JOINED.get(system, "evt_1")
    received(shipper).one(
        outcome="succeeded", event_id=event_id, event_type="invoice.paid", http_status=status
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_scheme_that_signs_a_time_refuses_it_301_seconds_away(
    system: str, secrets: Mapping[str, Any]
) -> None:
    secret = secrets[system]
    for away_s in (-301.0, 301.0):
        made = signed_request(system, secret.signing, "evt_1", "invoice.paid", now=NOW + away_s, url=URL)
        if signs_time(system, secret.signing, url=URL):
            with pytest.raises(VerificationError, match="timestamp"):
                verify(system, secret.verifying, *made)
        else:
            assert verify(system, secret.verifying, *made)


@pytest.mark.parametrize("system", ["twilio", "square", "hubspot", "hubspot_v2"])
def test_a_signed_url_holds_for_that_url_alone(system: str, secrets: Mapping[str, Any]) -> None:
    secret = secrets[system]
    made = signed_request(system, secret.signing, "evt_1", "invoice.paid", now=NOW, url=URL)

    with pytest.raises(VerificationError):
        verify(system, secret.verifying, *made, url="https://other.example.com/")


@pytest.mark.parametrize("system", ["standard", "svix", "openai"])
def test_an_ed25519_key_signs_standard_webhooks_as_v1a(system: str) -> None:
    import base64

    pem = new_private_key("ed25519")
    public = "whpk_" + base64.b64encode(bytes.fromhex(private_key(pem).public)).decode()
    headers, body = signed_request(system, pem, "evt_1", "invoice.paid", now=NOW)

    assert verify(system, public, headers, body)
    assert any(value.startswith("v1a,") for _, value in headers)


def test_a_body_of_yours_is_signed_as_it_is() -> None:
    headers, body = signed_body("hmac", SECRET, b'{"id": ', "evt_1", "invoice.paid", now=NOW)

    assert body == b'{"id": '
    assert verify("hmac", SECRET, headers, body)


@pytest.mark.parametrize(
    ("system", "secret", "said"),
    [
        ("nobody", SECRET, "unknown source system 'nobody'"),
        ("paypal", SECRET, "only the provider can sign like paypal"),
        ("plaid", "id:secret", "only the provider can sign like plaid"),
        ("sns", SECRET, "only the provider can sign like sns"),
        ("truelayer", SECRET, "only the provider can sign like truelayer"),
        ("orum", SECRET, "secret new --scheme orum"),
        ("discord", new_private_key("ecdsa"), "Ed25519"),
        ("orum", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----", "not PEM"),
        ("hmac", "", "empty secret"),
    ],
)
def test_what_cannot_sign_says_what_would(system: str, secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        signed_request(system, secret, "evt_1", "invoice.paid")


def test_records_are_there_at_once_and_no_thread_is_started(hookvitals_shipper: MemoryShipper) -> None:
    import threading

    before = set(threading.enumerate())  # one of an earlier test may end meanwhile
    hookvitals_shipper.sample(list)
    receiver = a_receiver(hookvitals_shipper)
    for _ in range(2):
        receiver.handle("POST", URL, *signed_request("standard", SECRET, "evt_1", "a.b", now=NOW))

    assert received(hookvitals_shipper).outcomes("evt_1") == ["succeeded", "duplicate"]
    assert set(threading.enumerate()) <= before
    assert hookvitals_shipper.counts()["accepted"] == 2
    assert hookvitals_shipper.flush()
    assert hookvitals_shipper.close()


def test_a_failed_assertion_shows_what_was_recorded() -> None:
    shipper = MemoryShipper()
    receiver = a_receiver(shipper)
    receiver.handle("POST", URL, [], b"{}")

    with pytest.raises(AssertionError) as raised:
        received(shipper).one(outcome="succeeded", event_id="evt_1")
    told = str(raised.value)
    assert "expected one record with outcome='succeeded' event_id='evt_1', found 0" in told
    assert "outcome='rejected'" in told
    assert "reason='missing_signature'" in told

    with pytest.raises(AssertionError, match="expected no record with outcome='rejected', found 1"):
        received(shipper).none(outcome="rejected")
    with pytest.raises(AssertionError, match="nothing was recorded"):
        received([]).one()
    received(shipper).none(outcome="succeeded")


def test_what_no_collector_could_read_is_kept_apart() -> None:
    shipper = MemoryShipper()

    shipper.put((int(NOW * 1e9), {}, "succeeded", int(NOW * 1e6), {"attempt": object()}, None))

    assert shipper.records == []
    assert len(shipper.unencodable) == 1
    assert shipper.counts()["dropped"] == {"unencodable": 1}


def a_receiver(shipper: MemoryShipper) -> Receiver:
    receiver = Receiver(
        "acme", endpoint="orders", system="standard", secrets=[SECRET], shipper=shipper,
        now=lambda: NOW, monotonic=lambda: NOW,
    )  # fmt: skip
    receiver.on("*")(lambda event: None)
    return receiver


def test_the_documented_test_passes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text(encoding="utf-8")
    section = page.split("## In your tests")[1]

    exec(section.split("```python\n")[1].split("```")[0], {})
