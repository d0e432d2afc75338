"""Scalekit's two forms, told apart by their shape: one from the official library, one from openssl."""

import base64

import pytest

from hookvitals.schemes import VerificationError, make
from tests.sdk.schemes.oracles import HAS_OPENSSL, NOW, openssl_hmac
from tests.sdk.schemes.test_standard import BODY, SECRET, official


def test_the_form_of_its_library_is_verified() -> None:
    make("scalekit", [SECRET]).verify(official(), BODY, NOW)


def test_its_interceptors_sign_the_same_under_their_own_names() -> None:
    make("scalekit", [SECRET]).verify(official(prefix="interceptor"), BODY, NOW)

    for name in ("interceptor-id", "interceptor-timestamp"):
        mixed = [pair for pair in official(prefix="interceptor") if pair[0] != name]
        with pytest.raises(VerificationError, match="missing_signature"):
            make("scalekit", [SECRET]).verify(
                [*mixed, (name.replace("interceptor", "webhook"), "1")], BODY, NOW
            )


def test_an_interceptors_header_beside_the_webhooks_own_is_not_read() -> None:
    beside = ("interceptor-signature", "v1,AAAA")

    make("scalekit", [SECRET]).verify([*official(), beside], BODY, NOW)


@HAS_OPENSSL
@pytest.mark.parametrize("name", ["webhook-signature", "scalekit-signature"])
def test_the_form_of_its_guide_is_verified_under_the_secret_as_text(name: str) -> None:
    digest = openssl_hmac(SECRET, b"1800000000." + BODY)

    verified = make("scalekit", [SECRET]).verify([(name, f"t=1800000000,v1={digest}")], BODY, NOW)

    assert verified.signed_at == NOW


@HAS_OPENSSL
def test_the_guides_form_under_the_decoded_key_is_not_tried() -> None:
    key = base64.b64decode(SECRET.removeprefix("whsec_")).decode("latin-1")
    digest = openssl_hmac(key, b"1800000000." + BODY)

    with pytest.raises(VerificationError, match="bad_signature"):
        make("scalekit", [SECRET]).verify([("webhook-signature", f"t=1800000000,v1={digest}")], BODY, NOW)


@pytest.mark.parametrize("text", ["t=1", "t=1,v1=abc", "v1=00", "t=,v1=", "v1,=", "garbage"])
def test_a_header_that_breaks_its_own_library_is_malformed_here(text: str) -> None:
    headers = [("webhook-id", "msg_1"), ("webhook-timestamp", "1800000000"), ("webhook-signature", text)]

    with pytest.raises(VerificationError, match="malformed_signature"):
        make("scalekit", [SECRET]).verify(headers, BODY, NOW)
