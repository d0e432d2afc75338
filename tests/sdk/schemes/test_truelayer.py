"""TrueLayer: what its JWS covers, whose keys it names, and what a request may make us ask for.

The vector is made by the openssl command, the other signatures by `cryptography`.
"""

import base64
import json
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hookvitals.key_fetch import KeyUnavailable
from hookvitals.schemes import VerificationError, make
from tests.sdk.schemes.oracles import HAS_OPENSSL, NOW, JwsLike, b64url, jwk_of, side_by_side
from tests.sdk.schemes.providers import (
    BODY,
    TRUELAYER_HEAD,
    TRUELAYER_KEY,
    TRUELAYERS,
    URL,
    Request,
    truelayer,
    truelayer_answer,
    until,
    verifies,
)
from tests.sdk.world import Clock

LIVE, SANDBOX = TRUELAYERS
STAMP = "2027-01-15T08:00:00Z"
PATH = "/webhooks/billing"


class Asked:
    """A fetch that remembers what it was asked for."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.names: list[str] = []

    def __call__(self, name: str) -> bytes:
        self.names.append(name)
        if not self.answers:
            raise KeyUnavailable("503")
        return self.answers.pop(0)


def refused(request: Request, fetch: Any = truelayer_answer, secrets: tuple[str, ...] = (LIVE,)) -> str:
    with pytest.raises(VerificationError) as caught:
        request.verified(make("truelayer", secrets, fetch=fetch))
    return caught.value.reason


def signed(path: str = PATH, stamp: str = STAMP, **changes: Any) -> Request:
    return truelayer(LIVE, stamp, BODY, path, **changes)


def with_header(request: Request, name: str, value: str) -> Request:
    others = [pair for pair in request.headers if pair[0] != name]
    return replace(request, headers=[*others, (name, value)])


@HAS_OPENSSL
def test_what_openssl_signs_is_verified(tmp_path: Path) -> None:
    """A key and a signature that only the openssl command has touched."""

    def openssl(*arguments: str, given: bytes = b"") -> bytes:
        command = ["openssl", *arguments]
        return subprocess.run(command, input=given, capture_output=True, check=True, timeout=20).stdout

    pem = tmp_path / "key.pem"
    pem.write_bytes(openssl("ecparam", "-name", "secp521r1", "-genkey", "-noout"))
    public = serialization.load_pem_public_key(openssl("ec", "-in", str(pem), "-pubout"))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    jwks = {"keys": [{**jwk_of(public), "kid": TRUELAYER_KEY, "alg": "EC"}]}
    head = {**TRUELAYER_HEAD, "tl_headers": "X-Tl-Webhook-Timestamp", "jku": LIVE}
    text = b64url(json.dumps(head).encode())
    content = b"POST /hook\nX-Tl-Webhook-Timestamp: 2027-01-15T08:00:00Z\n" + BODY
    der = openssl("dgst", "-sha512", "-sign", str(pem), given=f"{text}.{b64url(content)}".encode())
    jws = side_by_side(*decode_dss_signature(der), curve=public.curve)

    scheme = make("truelayer", [LIVE], fetch=lambda _: json.dumps(jwks).encode())
    headers = [("tl-signature", f"{text}..{jws}"), ("x-tl-webhook-timestamp", STAMP)]
    assert scheme.verify(headers, BODY, NOW, "https://example.com/hook").signed_at == NOW
    with pytest.raises(VerificationError, match="bad_signature"):
        scheme.verify(headers, BODY + b" ", NOW, "https://example.com/hook")


@pytest.mark.parametrize("path", [PATH, PATH + "/"])
@pytest.mark.parametrize("asked", [URL, URL.partition("?")[0], URL.replace("billing?", "billing/?")])
def test_a_slash_at_the_end_of_the_path_may_come_and_go(path: str, asked: str) -> None:
    replace(signed(path), url=asked).verified(make("truelayer", [LIVE], fetch=truelayer_answer))


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/another", "https://h/webhooks", "", "x", "https://["]
)
def test_it_is_signed_for_one_path_alone(url: str) -> None:
    assert refused(replace(signed(), url=url)) == "bad_signature"


def test_it_is_signed_for_one_method_alone() -> None:
    assert refused(replace(signed(), method="PUT")) == "bad_signature"


def test_a_signed_header_cannot_be_changed() -> None:
    assert refused(with_header(signed(), "Content-Type", "text/html")) == "bad_signature"


def test_a_header_of_two_lines_cannot_take_the_bodys_first_line_for_its_own() -> None:
    request = truelayer(LIVE, STAMP, b'[\n{"id": "evt_1"}', tl_headers="X-TL-Webhook-Timestamp,Content-Type")
    moved = with_header(request, "Content-Type", "application/json\n[")

    assert refused(replace(moved, body=b'{"id": "evt_1"}')) == "malformed_signature"


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"alg": "ES256"},
        {"tl_version": "1"},
        {"tl_version": 2},
        {"kid": None},
        {"kid": [TRUELAYER_KEY]},
        {"jku": None},
        {"jku": 5},
        {"tl_headers": None},
        {"tl_headers": ""},
        {"tl_headers": "Content-Type"},
        {"tl_headers": "X-TL-Webhook-Timestamp,"},
        {"tl_headers": "X-TL-Webhook-Timestamp,x-tl-webhook-timestamp"},
        {"tl_headers": "X-TL-Webhook-Timestamp,Content Type"},
        {"tl_headers": ",".join(["X-TL-Webhook-Timestamp", *(f"X-{number}" for number in range(40))])},
    ],
    ids=str,
)
def test_a_jws_of_another_kind_or_without_a_signed_time_is_malformed(changes: dict[str, Any]) -> None:
    assert refused(signed(**changes)) == "malformed_signature"


def test_a_signed_header_that_is_not_there_is_missing() -> None:
    assert refused(signed(tl_headers="X-TL-Webhook-Timestamp,X-More")) == "missing_signature"


NOBODYS = "A" * 176


@pytest.mark.parametrize(
    "text", ["", "..", "a..b", f"e30.e30.{NOBODYS}", f"e30..{NOBODYS}", f"W10..{NOBODYS}"]
)
def test_what_is_no_detached_jws_is_refused(text: str) -> None:
    reason = refused(with_header(signed(), "Tl-Signature", text))

    assert reason == ("malformed_signature" if text else "missing_signature")


@pytest.mark.parametrize(
    "address",
    [
        "https://webhooks.truelayer.com.evil.example/.well-known/jwks",
        "https://evil.example/.well-known/jwks",
        "http://webhooks.truelayer.com/.well-known/jwks",
        "https://webhooks.truelayer.com/.well-known/jwks?x=1",
        SANDBOX,
    ],
)
def test_keys_are_asked_for_at_our_own_addresses_alone(address: str) -> None:
    """The sandbox's keys do not sign for a receiver of production."""
    asked = Asked(truelayer_answer(LIVE))

    assert refused(signed(jku=address), asked) == "unknown_key"
    assert asked.names == []


@pytest.mark.parametrize("secrets", [["production"], ["https://evil.example/jwks"], [LIVE, "x"], [b"\xff"]])
def test_only_truelayers_own_addresses_can_be_given(secrets: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"webhooks.truelayer.com/.well-known/jwks or"):
        make("truelayer", secrets)


def test_made_up_key_ids_do_not_ask_again_and_again() -> None:
    asked = Asked(*[truelayer_answer(LIVE)] * 300)
    scheme = make("truelayer", [LIVE], fetch=asked)

    signed().verified(scheme)
    for number in range(200):
        with pytest.raises(VerificationError, match="unknown_key"):
            signed(kid=f"{number}").verified(scheme)

    assert asked.names == [LIVE]


def test_a_key_that_is_new_is_asked_for_behind_and_then_taken() -> None:
    """TrueLayer may change its keys at any time, and tries again what was refused meanwhile."""
    clock, answered = Clock(), threading.Event()
    old = json.dumps({"keys": [{**TRUELAYERS[LIVE].jwk, "kid": "old"}]}).encode()

    def fetch(address: str) -> bytes:
        if clock.now == NOW:
            return old
        answered.set()
        return truelayer_answer(address)

    scheme = make("truelayer", [LIVE], fetch=fetch, monotonic=clock)
    with pytest.raises(VerificationError, match="unknown_key"):
        signed().verified(scheme)
    clock.now += 61
    with pytest.raises(VerificationError, match="unknown_key"):
        signed().verified(scheme)

    assert answered.wait(10)
    until(lambda: verifies(signed(), scheme))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 5}',
        b'{"keys": [5]}',
        b'{"keys": [{"crv": "P-521"}]}',
        b'{"keys": [{"crv": "P-521", "kid": "1", "kty": "EC", "x": 5, "y": "AA"}]}',
        b'{"keys": [{"crv": "P-521", "kid": "1", "kty": "EC", "x": "AA", "y": "AA"}]}',
        b'{"keys": [{"crv": "P-521", "kid": "1", "kty": "RSA", "x": "AA", "y": "AA"}]}',
        b"[" * 60_000,
    ],
)
def test_what_is_no_set_of_keys_is_an_unknown_key(answer: bytes) -> None:
    assert refused(signed(), Asked(answer)) == "unknown_key"


def test_a_key_on_another_curve_is_none_of_truelayers() -> None:
    other = {**JwsLike(ec.SECP256R1(), hashes.SHA256()).jwk, "kid": TRUELAYER_KEY}

    assert refused(signed(), Asked(json.dumps({"keys": [other]}).encode())) == "unknown_key"


def test_a_signature_over_an_attached_body_is_not_taken_for_a_detached_one() -> None:
    """`head.body.signature` verifies by itself, whatever body came with it."""
    head, _, text = signed().headers[0][1].partition("..")
    attached = f"{head}.{base64.urlsafe_b64encode(BODY).decode().rstrip('=')}.{text}"

    assert refused(with_header(signed(), "Tl-Signature", attached)) == "malformed_signature"
