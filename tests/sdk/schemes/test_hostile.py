"""What a scheme signs it verifies, and no comparison of a MAC takes time that tells where it differs."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hookvitals.schemes
from hookvitals.schemes import VerificationError, Verified, header_items
from tests.sdk.schemes.oracles import NOW
from tests.sdk.schemes.providers import PROVIDERS, URL

CANNOT_SIGN = ["adyen", "discord", "orum", "paypal", "plaid", "sendgrid", "sns"]
"""With a key of the provider's alone, or in the body."""
SIGNERS = [name for name in PROVIDERS if name not in (*CANNOT_SIGN, "gitlab", "linear")]
VARIABLE_TIME = (ast.Eq, ast.NotEq, ast.In)
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
"""Other work shares this machine."""


@pytest.mark.parametrize("name", SIGNERS)
@RELAXED
@given(at=st.integers(0, 9_999_999_999), body=st.binary(max_size=300))
def test_what_a_scheme_signs_it_verifies_and_a_changed_byte_it_does_not(
    name: str, at: int, body: bytes
) -> None:
    scheme: Any = PROVIDERS[name].scheme()
    if name == "twilio":
        body = body.hex().encode()  # a form
    located = {"url": URL} if name in ("twilio", "square", "hubspot", "hubspot_v2") else {}
    headers = header_items(scheme.sign(body, at, **located))

    assert isinstance(scheme.verify(headers, body, at, **located), Verified)
    with pytest.raises(VerificationError):
        scheme.verify(headers, body + b"x", at, **located)


@pytest.mark.parametrize("name", CANNOT_SIGN)
def test_who_cannot_sign_says_so(name: str) -> None:
    with pytest.raises(ValueError):
        PROVIDERS[name].scheme().sign(b"{}", NOW)


def test_a_token_is_sent_as_it_is() -> None:
    scheme = PROVIDERS["gitlab"].scheme()

    scheme.verify(header_items(scheme.sign(b"{}", NOW)), b"{}", NOW)


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
