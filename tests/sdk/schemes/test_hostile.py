"""Whatever was sent, a scheme verifies or raises VerificationError, and gives nothing away."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hookvitals.schemes
from hookvitals.schemes import Scheme, VerificationError, Verified, header_items, make
from tests.sdk.schemes.oracles import NOW, OrumLike
from tests.sdk.schemes.test_standard import BODY, SECRET, VECTOR_PUBLIC

SCHEMES: dict[str, Scheme] = {
    "orum": make("orum", [OrumLike().pem]),
    "hopnow": make("hopnow", [SECRET]),
    "scalekit": make("scalekit", [SECRET]),
    "standard": make("standard", [SECRET]),
    "v1a": make("standard", [VECTOR_PUBLIC]),
    "svix": make("svix", [SECRET]),
    "hmac": make("hmac", [SECRET], template="{timestamp}.{body}", timestamp_header="X-Time"),
    "base64": make("hmac", [SECRET], encoding="base64"),
    "timestamped": make("timestamped", [SECRET]),
}
NAMES = (
    "signature", "x-webhook-signature", "x-time", "stripe-signature", "scalekit-signature", "webhook-id",
    "webhook-timestamp", "webhook-signature", "svix-id", "svix-timestamp", "svix-signature",
)  # fmt: skip
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
NEARLY = st.one_of(
    ANY_TEXT,
    st.binary().map(lambda raw: raw.decode("latin-1")),
    st.from_regex(r"(v1a?,[A-Za-z0-9+/=]{0,90} ?){0,40}", fullmatch=True),
    st.from_regex(r"(t=[0-9]{0,14}|v1=[0-9a-fA-F]{0,66}|,){0,8}", fullmatch=True),
    st.from_regex(r"(sha256=)?[0-9a-f]{60,66}", fullmatch=True),
    st.sampled_from(["1800000000", "+1800000000", "1.8e9", "1_800_000_000", "NaN", "\u0661\u0662"]),
)
VARIABLE_TIME = (ast.Eq, ast.NotEq, ast.In)
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
"""Other work shares this machine."""
REASONS = {
    "missing_signature", "malformed_signature", "bad_signature", "unknown_key", "timestamp_too_old",
    "timestamp_in_future",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SCHEMES))
@RELAXED
@given(
    headers=st.lists(st.tuples(st.sampled_from(NAMES), NEARLY), max_size=6),
    body=st.one_of(st.binary(), st.text().map(lambda text: b'{"created_at": "%s"}' % text.encode())),
)
def test_any_request_is_verified_or_refused_with_a_known_reason(
    name: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    try:
        SCHEMES[name].verify(header_items(headers), body, NOW)
    except VerificationError as exc:
        reason = exc.reason
    else:
        return
    assert reason in REASONS


@RELAXED
@given(at=st.integers(0, 9_999_999_999), body=st.binary(max_size=300))
def test_what_a_scheme_signs_it_verifies_and_a_changed_byte_it_does_not(at: int, body: bytes) -> None:
    for name in ("hopnow", "scalekit", "standard", "svix", "hmac", "base64", "timestamped"):
        headers = header_items(SCHEMES[name].sign(body, at))

        assert isinstance(SCHEMES[name].verify(headers, body, at), Verified)
        with pytest.raises(VerificationError):
            SCHEMES[name].verify(headers, body + b" ", at)


@pytest.mark.parametrize("name", ["hopnow", "scalekit", "standard", "timestamped"])
def test_no_error_and_no_repr_shows_a_secret_or_the_expected_signature(name: str) -> None:
    right = header_items(SCHEMES[name].sign(BODY, NOW))
    macs = [_mac(right), _mac(header_items(SCHEMES[name].sign(BODY + b" ", NOW)))]

    with pytest.raises(VerificationError) as caught:
        SCHEMES[name].verify(right, BODY + b" ", NOW)

    shown = f"{caught.value} {caught.value!r} {SCHEMES[name]!r}"
    for secret in (*macs, SECRET, SECRET.removeprefix("whsec_")):
        assert len(secret) > 20
        assert secret not in shown


def _mac(headers: list[tuple[str, str]]) -> str:
    """The longest run of a signature's own characters."""
    runs = [str(run) for _, value in headers for run in re.findall(r"[\w+/]+=*", value)]
    return max(runs, key=len)


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
