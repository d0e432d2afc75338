"""Every profile receives what its source's documents show: a 2xx, and the right id and type on record."""

from collections.abc import Mapping
from typing import Any

import pytest

from hookvitals import PROFILES, SCHEMES, Receiver, make
from hookvitals.secret import PROVIDER_ALONE
from hookvitals.testing import MemoryShipper, new_secret, received, signed_body
from tests.sdk.receiver.samples import SAMPLES, Sample
from tests.sdk.schemes.providers import PROVIDERS, URL
from tests.sdk.world import NOW

Headers = list[tuple[str, str]]


def signed(system: str, sample: Sample) -> tuple[Headers, bytes, Mapping[str, Any], str]:
    """(headers, body, settings of the scheme, what the receiver verifies with)."""
    if system in PROVIDER_ALONE:
        provider = PROVIDERS[system]
        request = provider.request(body=sample.body)
        return request.headers, request.body, provider.settings(provider.secrets[:1]), provider.secrets[0]
    secret = new_secret(system)
    profile = PROFILES[system]
    body = sample.body
    if not SCHEMES[profile.scheme].header:
        body = make(profile.scheme, [secret.verifying]).completed(body, NOW)
    headers, body = signed_body(system, secret.signing, body, "evt_1", "t", now=NOW, url=URL)
    return headers, body, {}, secret.verifying


@pytest.mark.parametrize("system", sorted(SAMPLES))
def test_what_its_documents_show_is_received(system: str) -> None:
    sample = SAMPLES[system]
    headers, body, settings, secret = signed(system, sample)
    own = {name.lower() for name in sample.headers}
    headers = [*(pair for pair in headers if pair[0].lower() not in own), *sample.headers.items()]
    shipper = MemoryShipper()
    receiver = Receiver(
        system, endpoint="orders", secrets=[secret], allow_from=[], public_url=URL, shipper=shipper,
        profile={"scheme_settings": {**PROFILES[system].scheme_settings, **settings}},
        now=lambda: NOW, monotonic=lambda: NOW,
    )  # fmt: skip
    handled: list[Any] = []
    receiver.on("*")(handled.append)

    status, told, answer = receiver.handle("POST", URL, headers, body, "192.0.2.1")

    record = received(shipper).one(outcome="succeeded", http_status=PROFILES[system].ack_status)
    assert (status, record["event_id"], record["event_type"]) == (
        PROFILES[system].ack_status, sample.event_id, sample.type,
    )  # fmt: skip
    assert [event.id for event in handled] == [sample.event_id]
    if PROFILES[system].created_at_path:
        assert abs(record["event_created_at"] / 1e6 - NOW) < 60
    if system == "adyen":
        assert (dict(told)["Content-Type"], answer) == ("text/plain; charset=utf-8", b"[accepted]")


def test_every_scheme_has_a_profile() -> None:
    assert set(SCHEMES) <= set(PROFILES)
