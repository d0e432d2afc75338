"""Standard Webhooks and Svix against the official library, published vectors and `cryptography`."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import Webhook

from hookvitals.schemes import VerificationError, header_items, make, standard_key
from tests.sdk.schemes.oracles import NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_" + base64.b64encode(b"the secret of last quarter......").decode()
BODY = b'{"type": "invoice.paid",  "data": {}}'

VECTOR = [("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330")]
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
VECTOR_V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
VECTOR_PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


def official(
    body: bytes = BODY,
    message_id: str = "msg_1",
    at: float = NOW,
    secret: str = SECRET,
    prefix: str = "webhook",
) -> list[tuple[str, str]]:
    """The three headers, signed by the official library."""
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())
    stamp = str(int(at))
    return [(f"{prefix}-id", message_id), (f"{prefix}-timestamp", stamp), (f"{prefix}-signature", signature)]


def changed(headers: list[tuple[str, str]], **values: str) -> list[tuple[str, str]]:
    return [(name, values.get(name.removeprefix("webhook-"), value)) for name, value in headers]


def refused(headers: list[tuple[str, str]], *secrets: str, at: float = NOW, body: bytes = BODY) -> str:
    with pytest.raises(VerificationError) as caught:
        make("standard", secrets or [SECRET]).verify(headers, body, at)
    return caught.value.reason


def test_what_the_official_library_signs_is_verified() -> None:
    verified = make("standard", [SECRET]).verify(official(), BODY, NOW + 7)

    assert verified.signed_at == NOW


def test_what_we_sign_the_official_library_verifies() -> None:
    now = datetime.now(UTC).timestamp()
    headers = dict(make("standard", [SECRET]).sign(BODY, now))

    assert Webhook(SECRET).verify(BODY, headers) == {"type": "invoice.paid", "data": {}}


def test_svix_sends_the_same_under_its_own_names() -> None:
    make("svix", [SECRET]).verify(official(prefix="svix"), BODY, NOW)

    with pytest.raises(VerificationError, match="missing_signature"):
        make("svix", [SECRET]).verify(official(), BODY, NOW)


def test_the_published_v1_vector_is_verified() -> None:
    make("standard", [SECRET]).verify([*VECTOR, ("webhook-signature", VECTOR_V1)], VECTOR_BODY, 1_614_265_330)


def test_the_published_v1a_vector_is_verified() -> None:
    headers = [*VECTOR, ("webhook-signature", VECTOR_V1A)]

    make("standard", [VECTOR_PUBLIC]).verify(headers, VECTOR_BODY, 1_614_265_330)
    make("standard", [VECTOR_PUBLIC.encode()]).verify(headers, VECTOR_BODY, 1_614_265_330)


def test_what_an_ed25519_key_of_another_library_signs_is_verified() -> None:
    private = Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signature = private.sign(b"msg_1.1800000000." + BODY)
    headers = changed(official(), signature="v1a," + base64.b64encode(signature).decode())
    public = "whpk_" + base64.b64encode(raw).decode()

    make("standard", [VECTOR_PUBLIC, public]).verify(headers, BODY, NOW)
    assert refused(headers, VECTOR_PUBLIC) == "bad_signature"


def test_with_a_public_key_configured_v1_is_never_accepted() -> None:
    v1 = [*VECTOR, ("webhook-signature", VECTOR_V1)]
    at = 1_614_265_330

    assert refused(v1, VECTOR_PUBLIC, SECRET, at=at, body=VECTOR_BODY) == "unknown_key"
    both = [*VECTOR, ("webhook-signature", f"{VECTOR_V1} v1a,{base64.b64encode(bytes(64)).decode()}")]
    assert refused(both, VECTOR_PUBLIC, SECRET, at=at, body=VECTOR_BODY) == "bad_signature"


def test_unknown_versions_are_skipped() -> None:
    signature = dict(official())["webhook-signature"]

    make("standard", [SECRET]).verify(changed(official(), signature=f"v9,x!y {signature}"), BODY, NOW)
    assert refused(changed(official(), signature="v9,AAAA")) == "unknown_key"


def test_one_of_several_signatures_is_enough_while_the_sender_rotates() -> None:
    by_old = dict(official(secret=OLD_SECRET))["webhook-signature"]
    by_new = dict(official())["webhook-signature"]

    make("standard", [SECRET]).verify(changed(official(), signature=f"{by_old} {by_new}"), BODY, NOW)


def test_two_secrets_live_at_once_and_the_one_that_signed_is_named() -> None:
    both = make("standard", [SECRET, OLD_SECRET])

    old = both.verify(official(secret=OLD_SECRET), BODY, NOW).secret_id
    new = both.verify(official(), BODY, NOW).secret_id

    assert new != old
    assert new == make("standard", [SECRET]).verify(official(), BODY, NOW).secret_id
    assert refused(official(secret=OLD_SECRET)) == "bad_signature"


@pytest.mark.parametrize(
    ("at", "reason"), [(NOW + 301, "timestamp_too_old"), (NOW - 301, "timestamp_in_future")]
)
def test_a_time_outside_300_s_is_refused_on_either_side(at: float, reason: str) -> None:
    assert refused(official(), at=at) == reason


@pytest.mark.parametrize("at", [NOW + 300, NOW - 300])
def test_a_time_within_300_s_is_taken_on_either_side(at: float) -> None:
    make("standard", [SECRET]).verify(official(), BODY, at)


def test_a_forger_does_not_choose_the_reason() -> None:
    forged = changed(official(), timestamp="1", signature="v1," + base64.b64encode(bytes(32)).decode())

    assert refused(forged) == "bad_signature"


def test_the_literal_timestamp_is_what_was_signed() -> None:
    assert refused(changed(official(), timestamp="01800000000")) == "bad_signature"


@pytest.mark.parametrize("part", ["id", "timestamp", "signature"])
def test_each_of_the_three_headers_is_needed_once(part: str) -> None:
    name = f"webhook-{part}"
    without = [pair for pair in official() if pair[0] != name]

    assert refused(without) == "missing_signature"
    assert refused([*without, (name, "  ")]) == "missing_signature"
    assert refused([*official(), (name, dict(official())[name])]) == "malformed_signature"


def test_header_names_are_read_in_any_case() -> None:
    shouted = {name.title(): value for name, value in official()}

    make("standard", [SECRET]).verify(header_items(shouted), BODY, NOW)


def test_a_message_id_that_is_not_ascii_is_malformed() -> None:
    for text in ("msg_\u00e9", "msg_\ud800"):
        assert refused(changed(official(), id=text)) == "malformed_signature"


def test_a_secret_without_its_padding_is_the_same_secret() -> None:
    assert standard_key("whsec_" + base64.b64encode(b"ab").decode().rstrip("=")) == b"ab"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "whsec_\u00e9", "whpk_AAAA", b"\xff\xfe"])
def test_a_secret_that_cannot_be_one_is_refused_at_once(secret: Any) -> None:
    with pytest.raises(ValueError):
        make("standard", [secret])
