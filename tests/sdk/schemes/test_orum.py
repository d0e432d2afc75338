"""Orum against RSA signatures made by `cryptography`."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hookvitals.schemes import VerificationError, make
from tests.sdk.schemes.oracles import NOW, OrumLike

ORUM = OrumLike()
OTHER = OrumLike()
CREATED = "2026-11-21T09:14:03.120000+00:00"
BODY = b'{"event_id": "evt_1",  "created_at":"' + CREATED.encode() + b'", "event_data":{}}'


def headers(body: bytes = BODY, created_at: str = CREATED, by: OrumLike = ORUM) -> list[tuple[str, str]]:
    return [("signature", by.signature(body, created_at))]


def refused(given: list[tuple[str, str]], body: bytes) -> str:
    with pytest.raises(VerificationError) as caught:
        make("orum", [ORUM.pem]).verify(given, body, NOW)
    return caught.value.reason


def test_a_body_signed_with_its_created_at_is_verified() -> None:
    verified = make("orum", [ORUM.pem]).verify(headers(), BODY, NOW)

    assert len(verified.secret_id) == 8
    assert verified.signed_at is None  # no time is signed apart from the body


def test_the_body_alone_is_not_what_is_signed() -> None:
    assert refused([("signature", ORUM.signature(BODY, ""))], BODY) == "bad_signature"


def test_the_exact_text_of_created_at_is_signed_never_a_reformatted_date() -> None:
    assert refused(headers(created_at="2026-11-21T09:14:03.120Z"), BODY) == "bad_signature"


def test_reserialised_json_is_not_what_was_signed() -> None:
    assert refused(headers(), json.dumps(json.loads(BODY)).encode()) == "bad_signature"


def test_one_changed_byte_is_refused() -> None:
    assert refused(headers(), BODY.replace(b"evt_1", b"evt_2")) == "bad_signature"


def test_a_key_may_be_given_bare_or_with_escaped_line_ends() -> None:
    for text in (ORUM.bare, ORUM.pem.encode(), ORUM.pem.replace("\n", "\\n")):
        make("orum", [text]).verify(headers(), BODY, NOW)


def test_two_keys_live_at_once_and_the_one_that_signed_is_named() -> None:
    both = make("orum", [OTHER.pem, ORUM.pem])

    named = {both.verify(headers(by=by), BODY, NOW).secret_id for by in (ORUM, OTHER)}

    assert len(named) == 2
    assert make("orum", [ORUM.pem]).verify(headers(), BODY, NOW).secret_id in named


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'"x"', b"{}", b'{"created_at": 5}', b"\xff\xfe"])
def test_a_body_without_created_at_is_malformed_not_an_exception(body: bytes) -> None:
    assert refused(headers(), body) == "malformed_signature"


@pytest.mark.parametrize("text", ["a\\nb", "\\u0000", "\\ud800"])
def test_a_created_at_that_cannot_be_printed_is_malformed_even_when_it_was_signed(text: str) -> None:
    body = b'{"created_at": "' + text.encode() + b'"}'
    signed = json.loads(body)["created_at"].encode("utf-8", "surrogatepass")
    given = [("signature", ORUM.signature(body + signed, ""))]

    assert refused(given, body) == "malformed_signature"


def test_a_nest_of_brackets_is_malformed_not_a_recursion_error() -> None:
    assert refused(headers(), b"[" * 200_000) == "malformed_signature"


@pytest.mark.parametrize("text", ["AAAA", base64.b64encode(b"\0" * 256).decode()])
def test_base64_that_is_no_signature_is_bad(text: str) -> None:
    assert refused([("signature", text)], BODY) == "bad_signature"


def test_only_rsa_keys_of_2048_bits_or_more_are_taken() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = curve.public_bytes(serialization.Encoding.PEM, spki).decode()

    for wrong, said in ((pem, "RSA"), ("not a key", "PEM"), (OrumLike(1024).pem, "1024 bits")):
        with pytest.raises(ValueError, match=said):
            make("orum", [wrong])


def test_without_a_key_it_says_where_to_get_one() -> None:
    with pytest.raises(ValueError, match="webhooks/secret"):
        make("orum", [])


def test_nobody_but_orum_can_sign() -> None:
    with pytest.raises(ValueError, match="only the provider can sign"):
        make("orum", [ORUM.pem]).sign(BODY, NOW)
