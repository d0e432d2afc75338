"""What holds for every scheme, whoever signs. Signatures by openssl and `cryptography`; see providers.

Carries practices 5, 20, 21, 22 and 23, and the faults of the guides' own verifiers: they crash on bytes and
on a header without its parts, and take a time that is no number.
"""

import json
import logging
import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookvitals.schemes import SCHEMES, Scheme, VerificationError, header_items, make
from tests.sdk.schemes.oracles import HAS_OPENSSL, NOW
from tests.sdk.schemes.providers import PROVIDERS, Provider, Request, tampered

pytestmark = HAS_OPENSSL
RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
"""Other work shares this machine."""
REASONS = {
    "missing_signature", "malformed_signature", "bad_signature", "unknown_key", "timestamp_too_old",
    "timestamp_in_future",
}  # fmt: skip
REFUSED = {"malformed_signature", "bad_signature"}
WITH_HEADERS = [name for name, each in PROVIDERS.items() if each.request().headers]
TIMED = [name for name, each in PROVIDERS.items() if each.unit]
OF_BODY = [name for name in PROVIDERS if name != "gitlab"]
MANY = [name for name, each in PROVIDERS.items() if each.joint]
BASE64 = [name for name, each in PROVIDERS.items() if each.encoding == "base64"]
ALPHABET = string.ascii_letters + string.digits
HEX = [name for name, each in PROVIDERS.items() if each.encoding == "hex"]
UNSIGNED_PARTS = {"adyen", "mailgun", "sns", "twilio"}
"""Adyen, Mailgun and SNS sign some fields, Twilio what its form means: another spelling is as good."""
ANY_LENGTH = {"gitlab", "openai", "orum", "paypal", "scalekit", "sendgrid", "sns", "standard", "svix"}
"""RSA and ECDSA in DER have lengths of their keys; Standard Webhooks has signatures of several kinds."""
NO_TIMES = ["+1", "1e9", "1_000", "NaN", "-1", "1.5", "0x10", "18000000000000", "\u0661\u0668\u0660\u0660"]


def refused(request: Request, scheme: Scheme, at: float = NOW) -> str:
    with pytest.raises(VerificationError) as caught:
        request.verified(scheme, at)
    return caught.value.reason


def every(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("provider", [PROVIDERS[name] for name in names], ids=names)


def test_no_scheme_is_left_out_here() -> None:
    assert set(PROVIDERS) == set(SCHEMES)


@every(list(PROVIDERS))
def test_what_the_provider_signs_is_verified(provider: Provider) -> None:
    verified = provider.request().verified(provider.scheme())

    assert len(verified.secret_id) == 8
    assert verified.signed_at == (NOW if provider.unit else None)


@every(list(PROVIDERS))
def test_header_names_are_read_in_any_case(provider: Provider) -> None:
    request = provider.request()

    for change in (str.upper, str.lower, str.title):
        headers = [(change(name), value) for name, value in request.headers]
        replace(request, headers=headers).verified(provider.scheme())


@every(OF_BODY)
def test_one_changed_byte_of_the_body_is_refused(provider: Provider) -> None:
    assert refused(tampered(provider.request()), provider.scheme()) == "bad_signature"


@every([name for name in OF_BODY if name not in UNSIGNED_PARTS])
def test_reserialised_json_is_not_what_was_signed(provider: Provider) -> None:
    """The guide's verifier signs what it has parsed."""
    request = provider.request()
    again = json.dumps(json.loads(request.body), separators=(",", ":")).encode()

    assert refused(replace(request, body=again), provider.scheme()) == "bad_signature"


@every(list(PROVIDERS))
def test_a_signature_of_another_secret_is_refused(provider: Provider) -> None:
    reason = refused(provider.request(secret=provider.secrets[1]), provider.scheme())

    assert reason == ("unknown_key" if provider.name in ("sns", "plaid", "truelayer") else "bad_signature")


@every(list(PROVIDERS))
def test_a_signature_of_the_right_shape_that_nobody_made_is_refused(provider: Provider) -> None:
    request = provider.request()
    for one, other in (("0", "1"), ("A", "B"), ("a", "b")):
        nobodys = request.signature[:-4].replace(one, other) + request.signature[-4:]
        if nobodys != request.signature:
            assert refused(request.with_signature(nobodys), provider.scheme()) == "bad_signature"


@every(BASE64 + [name for name, each in PROVIDERS.items() if each.encoding == "jws"])
def test_no_other_text_stands_for_the_same_signature(provider: Provider) -> None:
    """base64 can say the same bytes in several texts, as its last character may carry bits of no byte."""
    request, scheme = provider.request(), provider.scheme()
    text = request.signature.rstrip("=")
    pad = request.signature[len(text) :]

    for last in set(ALPHABET) - {text[-1]}:
        reason = refused(request.with_signature(text[:-1] + last + pad), scheme)
        assert reason in REFUSED, last


@every(list(PROVIDERS))
def test_two_secrets_live_at_once_and_the_one_that_signed_is_named(provider: Provider) -> None:
    """Practice 22: the sender may change its secret at any moment of the overlap."""
    both = provider.scheme(*provider.secrets)

    named = [provider.request(secret=secret).verified(both).secret_id for secret in provider.secrets]

    assert len(set(named)) == 2
    alone = [
        provider.request(secret=secret).verified(provider.scheme(secret)).secret_id
        for secret in provider.secrets
    ]
    assert named == alone


@every(WITH_HEADERS)
def test_every_header_is_needed_exactly_once(provider: Provider) -> None:
    request, scheme = provider.request(), provider.scheme()

    for name, value in request.headers:
        others = [pair for pair in request.headers if pair[0] != name]
        assert refused(replace(request, headers=others), scheme) == "missing_signature"
        assert refused(replace(request, headers=[*others, (name, "  ")]), scheme) == "missing_signature"
        twice = [*request.headers, (name.upper(), value)]
        assert refused(replace(request, headers=twice), scheme) == "malformed_signature"


@every(TIMED)
def test_a_time_within_the_tolerance_is_taken_on_either_side(provider: Provider) -> None:
    """Practice 20."""
    for at in (NOW - provider.tolerance_s, NOW + provider.tolerance_s):
        provider.request().verified(provider.scheme(), at)


@every(TIMED)
def test_a_time_outside_the_tolerance_is_refused_on_either_side(provider: Provider) -> None:
    """Practice 20."""
    late, early = NOW + provider.tolerance_s + 1, NOW - provider.tolerance_s - 1

    assert refused(provider.request(), provider.scheme(), late) == "timestamp_too_old"
    assert refused(provider.request(), provider.scheme(), early) == "timestamp_in_future"


@every(TIMED)
def test_a_forger_does_not_choose_the_reason(provider: Provider) -> None:
    old = provider.request(at=1_000_000_000)

    assert refused(tampered(old), provider.scheme()) == "bad_signature"


@pytest.mark.parametrize("stamp", NO_TIMES)
@every(TIMED)
def test_a_time_is_refused_unless_it_is_written_plainly_even_when_it_was_signed(
    provider: Provider, stamp: str
) -> None:
    """The guide's parseInt makes NaN of such a text, and NaN is never too old."""
    assert refused(provider.request(stamp=stamp), provider.scheme()) == "malformed_signature"


@every([name for name in TIMED if name != "plaid"])  # whose time stands inside what it signs
def test_the_literal_time_is_what_was_signed(provider: Provider) -> None:
    request = provider.request()
    stamp = provider.stamp(NOW)
    other = stamp.replace("Z", "+00:00") if provider.unit == "iso" else "0" + stamp
    headers = [(name, value.replace(stamp, other)) for name, value in request.headers]
    body = request.body.replace(stamp.encode(), other.encode())
    assert (headers, body) != (request.headers, request.body)

    assert refused(replace(request, headers=headers, body=body), provider.scheme()) in REFUSED


@every(BASE64)
def test_base64_is_read_strictly(provider: Provider) -> None:
    request, scheme = provider.request(), provider.scheme()
    text = request.signature

    for wrong in (
        text + ",",
        text[:8] + " " + text[8:],
        text[:8] + "\n" + text[8:],
        text[:-1] + "*",
        text[:-1],
        "=",
    ):
        assert refused(request.with_signature(wrong), scheme) == "malformed_signature", wrong


@every(HEX)
def test_hex_is_read_strictly_in_either_case(provider: Provider) -> None:
    request, scheme = provider.request(), provider.scheme()
    text = request.signature

    request.with_signature(text.upper()).verified(scheme)
    for wrong in (
        text[:-1],
        text + "0",
        "0x" + text[2:],
        text[:-2] + " 0",
        text[:-1] + "\u0661",
        text[:-1] + "g",
    ):
        assert refused(request.with_signature(wrong), scheme) == "malformed_signature", wrong


@every(list(PROVIDERS))
def test_a_signature_of_another_length_is_refused(provider: Provider) -> None:
    """The guide's timingSafeEqual throws on these."""
    request, scheme = provider.request(), provider.scheme()
    short, long = ("00", "00" * 99) if provider.encoding == "hex" else ("AAAA", "AAAA" * 40)

    expected = REFUSED if provider.name in ANY_LENGTH else {"malformed_signature"}
    assert refused(request.with_signature(short), scheme) in expected
    assert refused(request.with_signature(long), scheme) in expected


@every(WITH_HEADERS)
def test_a_header_of_more_than_8_kib_is_refused_unread(provider: Provider) -> None:
    request, scheme = provider.request(), provider.scheme()

    for name, value in request.headers:
        for size in (8193 - len(value), 1 << 20):
            headers = [(each, text + "0" * size if each == name else text) for each, text in request.headers]
            assert refused(replace(request, headers=headers), scheme) == "malformed_signature"


@every(MANY)
def test_more_than_32_signatures_are_not_tried(provider: Provider) -> None:
    request, scheme = provider.request(), provider.scheme()
    many = provider.joint.join([request.signature] * 33)
    headers = [(name, value.replace(request.signature, many)) for name, value in request.headers]

    assert refused(replace(request, headers=headers), scheme) == "malformed_signature"


@every(MANY)
def test_one_right_signature_of_several_is_enough(provider: Provider) -> None:
    """Practice 22, the sender's side: it signs with both secrets during the change."""
    request = provider.request()
    nobodys = "0" * 64 if provider.encoding == "hex" else "A" * 43 + "="
    both = nobodys + provider.joint + request.signature
    headers = [(name, value.replace(request.signature, both)) for name, value in request.headers]

    replace(request, headers=headers).verified(provider.scheme())


@every(list(PROVIDERS))
@pytest.mark.parametrize("secrets", [[], [""], ["  "], [b""], "text", b"bytes"])
def test_no_secret_an_empty_one_or_a_bare_text_is_refused_at_once(provider: Provider, secrets: Any) -> None:
    with pytest.raises(ValueError):
        make(provider.name, secrets)


@every(OF_BODY)
def test_nothing_shows_a_secret_or_the_signature_that_was_expected(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Practice 23."""
    caplog.set_level(logging.DEBUG)
    scheme, wrong = provider.scheme(), tampered(provider.request())
    expected = provider.sign(provider.secrets[0], provider.stamp(NOW), wrong.body).signature

    with pytest.raises(VerificationError) as caught:
        wrong.verified(scheme)

    shown = f"{caught.value} {caught.value!r} {vars(caught.value)} {scheme!r} {caplog.text}"
    for text in (expected, provider.secrets[0], provider.secrets[0].removeprefix("whsec_")):
        assert text not in shown


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates too
NEARLY = st.one_of(
    ANY_TEXT,
    st.binary().map(lambda raw: raw.decode("latin-1")),
    st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.sampled_from(
        [*NO_TIMES, "1800000000", "1800000000000", "2027-01-15T08:00:00Z", "=", ",", ";", "0" * (1 << 20)]
    ),
    st.from_regex(r"(v1a?,[A-Za-z0-9+/=]{0,90} ?){0,40}", fullmatch=True),
    st.from_regex(r"(t=|ts=|v0=|v1=|h1=|[0-9a-f]{0,66}|[,;]){0,8}", fullmatch=True),
    st.from_regex(r"(sha256=|v0=|sha1=)?([0-9a-f]{40}|[0-9a-f]{64}|[A-Za-z0-9+/]{43}=),?", fullmatch=True),
)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mangled(draw: st.DrawFn, provider: Provider) -> Request:
    """A good request of which headers were changed, dropped, doubled or added, and perhaps body and URL."""
    request = provider.request()
    headers = []
    for name, value in request.headers:
        kept = draw(st.sampled_from(["kept", "changed", "dropped", "doubled"]))
        if kept != "dropped":
            headers.append((name, draw(NEARLY) if kept == "changed" else value))
        if kept == "doubled":
            headers.append((name, draw(NEARLY)))
    body = draw(st.sampled_from([request.body, b"", b"[" * 100_000, b"\xff\xfe", b"{}"]) | st.binary())
    if draw(st.booleans()):
        at = draw(st.integers(0, max(0, len(request.body) - 1)))
        body = request.body[:at] + draw(st.binary(max_size=8)) + request.body[at + 1 :]
    return replace(request, headers=headers, body=body, url=draw(st.just(request.url) | ANY_TEXT))


@every(list(PROVIDERS))
@RELAXED
@given(data=st.data())
def test_whatever_is_sent_is_verified_or_refused_with_a_known_reason(
    provider: Provider, data: st.DataObject
) -> None:
    """Practice 5: no request becomes a crash of the verifier."""
    request, scheme = data.draw(mangled(provider)), provider.scheme()

    reason = None
    try:
        request.verified(scheme)
    except VerificationError as exc:
        reason = exc.reason

    assert reason is None or reason in REASONS


@every([name for name in OF_BODY if name not in UNSIGNED_PARTS])
@RELAXED
@given(data=st.data())
def test_no_changed_request_is_verified(provider: Provider, data: st.DataObject) -> None:
    request = provider.request()
    at = data.draw(st.integers(0, len(request.body) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != request.body[at]))
    changed = replace(request, body=request.body[:at] + bytes([byte]) + request.body[at + 1 :])

    assert refused(changed, provider.scheme()) in REASONS


def test_headers_that_came_as_bytes_are_read() -> None:
    request = PROVIDERS["github"].request()
    headers: Any = [(name.encode(), value.encode()) for name, value in request.headers]

    make("github", [PROVIDERS["github"].secrets[0]]).verify(header_items(headers), request.body, NOW)
