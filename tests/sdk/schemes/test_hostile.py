"""What a scheme signs it verifies, and no comparison of a MAC takes time that tells where it differs."""

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hookvitals.schemes
from hookvitals.schemes import VerificationError, Verified, header_items, make
from tests.sdk.schemes.oracles import NOW
from tests.sdk.schemes.providers import ADYEN_ITEM, PROVIDERS, URL
from tests.sdk.schemes.test_standard import VECTOR_PUBLIC

ALONE = ["discord", "orum", "paypal", "plaid", "sendgrid", "sns", "truelayer"]
"""Who sign with a key of their own."""
UNCOVERED = ["gitlab", "mailgun"]
SIGNERS = [name for name in PROVIDERS if name not in ALONE]
SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "twilio": lambda raw: raw.hex().encode(),
    "linear": lambda raw: json.dumps({"id": raw.hex()}).encode(),
    "mailgun": lambda raw: json.dumps({"id": raw.hex()}).encode(),
    "adyen": lambda raw: json.dumps(
        {"notificationItems": [{"NotificationRequestItem": {**ADYEN_ITEM, "pspReference": raw.hex()}}]}
    ).encode(),
}
"""Bodies that have a place for what the provider writes there."""
VARIABLE_TIME = (ast.Eq, ast.NotEq, ast.In)
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
"""Other work shares this machine."""


@pytest.mark.parametrize("name", SIGNERS)
@RELAXED
@given(at=st.integers(0, 9_999_999_999), raw=st.binary(max_size=300))
def test_what_a_scheme_signs_it_verifies_and_a_changed_byte_it_does_not(
    name: str, at: int, raw: bytes
) -> None:
    """Practice 43: every scheme that can sign is called alike."""
    scheme = PROVIDERS[name].scheme()
    body = scheme.completed(SHAPES.get(name, bytes)(raw), at)
    headers = header_items(scheme.sign(body, at, "msg_1", url=URL, method="PUT"))

    assert isinstance(scheme.verify(headers, body, at, URL, "PUT"), Verified)
    if name not in UNCOVERED:
        changed = body.replace(b"EUR", b"USD") if name == "adyen" else body + b"x"
        with pytest.raises(VerificationError):
            scheme.verify(headers, changed, at, URL, "PUT")


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_scheme_signs_by_the_same_call(name: str) -> None:
    asked = inspect.signature(PROVIDERS[name].scheme().sign)

    assert str(asked).partition(" -> ")[0] == (
        "(body: bytes, now: float, message_id: str = '', *, url: str = '', method: str = 'POST')"
    )


@pytest.mark.parametrize("name", ALONE)
def test_who_cannot_sign_says_so_in_the_same_words(name: str) -> None:
    with pytest.raises(ValueError, match=r"^only the provider can sign so: the private key is its own"):
        PROVIDERS[name].scheme().sign(b"{}", NOW)


def test_a_public_key_of_standard_webhooks_cannot_sign() -> None:
    with pytest.raises(ValueError, match=r"^only the provider can sign"):
        make("standard", [VECTOR_PUBLIC]).sign(b"{}", NOW)


@pytest.mark.parametrize("name", ["adyen", "linear", "mailgun"])
@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"{", b"\xff", b"[" * 100_000])
def test_a_body_without_a_place_for_what_the_provider_writes_there_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(ValueError, match="body"):
        PROVIDERS[name].scheme().completed(body, NOW)


@pytest.mark.parametrize("name", ["adyen", "mailgun"])
def test_a_body_goes_not_out_unsigned_where_the_signature_stands_in_it(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be signed as it is"):
        PROVIDERS[name].scheme().sign(SHAPES[name](b"raw"), NOW)


def test_orum_signs_no_body_without_created_at() -> None:
    pem, key = PROVIDERS["orum"].secrets[0], b"signature"

    with pytest.raises(ValueError, match="created_at"):
        make("orum", [pem], signer=lambda content: key).sign(b"{}", NOW)


def test_signatures_are_compared_in_constant_time_alone() -> None:
    """No `==` between bytes anywhere: the one comparison of a MAC is `same`, and that is compare_digest."""
    files = sorted(Path(hookvitals.schemes.__file__).parent.glob("*.py"))
    compared = [
        ast.unparse(node)
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Compare) and any(isinstance(op, VARIABLE_TIME) for op in node.ops)
    ]
    suspicious = [text for text in compared if re.search("mac|given|digest", text) and "len(" not in text]

    assert len(files) >= 6
    assert compared
    assert suspicious == []
    assert "hmac.compare_digest(one, other)" in (files[0].parent / "signed.py").read_text("utf-8")
