"""HMAC in a header against the openssl command: HopNow's two forms, Stripe's, and the generic one."""

import base64
from typing import Any

import pytest

from hookvitals.schemes import VerificationError, make
from tests.sdk.schemes.oracles import HAS_OPENSSL, NOW, openssl_hmac

SECRET = "test_secret_123"
BODY = b'{"id":"evt_test","type":"account.created"}'
PUBLISHED = "40c92adf89e5939ac1c7ca5d30ef0d79fa19dd416c9aa0db6703b232d3f596be"
HOPNOW = "x-webhook-signature"


def refused(scheme: str, headers: list[tuple[str, str]], at: float = NOW, **settings: Any) -> str:
    with pytest.raises(VerificationError) as caught:
        make(scheme, [SECRET], **settings).verify(headers, BODY, at)
    return caught.value.reason


@pytest.mark.parametrize("text", [PUBLISHED, f"sha256={PUBLISHED}", PUBLISHED.upper()])
def test_both_forms_of_hopnow_are_verified_from_its_published_inputs(text: str) -> None:
    make("hopnow", [SECRET]).verify([(HOPNOW, text)], BODY, NOW)


@HAS_OPENSSL
def test_both_forms_of_hopnow_are_verified_as_openssl_signs_them() -> None:
    body = '{"id":"evt_ü","n":1.0}'.encode()
    digest = openssl_hmac("gëheim key", body)

    for text in (digest, "sha256=" + digest):
        make("hopnow", ["gëheim key"]).verify([(HOPNOW, text)], body, NOW)
    assert digest != openssl_hmac("gëheim key", body + b"\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sha1=" + PUBLISHED, "malformed_signature"),
        ("sha256=sha256=" + PUBLISHED, "malformed_signature"),
        (PUBLISHED[:-1], "malformed_signature"),
        (PUBLISHED[:-2], "malformed_signature"),
        (PUBLISHED + "00", "malformed_signature"),
        ("0x" + PUBLISHED[2:], "malformed_signature"),
        (PUBLISHED.replace("4", "\u0664"), "malformed_signature"),
        (PUBLISHED[:-2] + " b", "malformed_signature"),
        ("00" * 32, "bad_signature"),
    ],
)
def test_hex_is_read_strictly(text: str, reason: str) -> None:
    assert refused("hopnow", [(HOPNOW, text)]) == reason


def test_a_header_given_twice_or_not_at_all_is_refused() -> None:
    assert refused("hopnow", [(HOPNOW, PUBLISHED), (HOPNOW, PUBLISHED)]) == "malformed_signature"
    assert refused("hopnow", [("signature", PUBLISHED)]) == "missing_signature"


def test_a_header_of_more_than_8_kib_is_refused_unread() -> None:
    assert refused("hopnow", [(HOPNOW, "0" * 8193)]) == "malformed_signature"


@HAS_OPENSSL
def test_stripes_form_is_verified_as_openssl_signs_it() -> None:
    digest = openssl_hmac("whsec_key", b"1800000000." + BODY)
    header = f"t=1800000000,v1={'0' * 64},v1={digest},v0=ignored"

    verified = make("timestamped", ["whsec_key"]).verify([("stripe-signature", header)], BODY, NOW + 299)

    assert verified.signed_at == 1_800_000_000


@HAS_OPENSSL
@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("1799999699", "timestamp_too_old"),
        ("1800000301", "timestamp_in_future"),
        ("1800000000000", "timestamp_in_future"),
        ("18000000000000", "malformed_signature"),
        ("+1800000000", "malformed_signature"),
        ("1.8e9", "malformed_signature"),
        ("1_800_000_000", "malformed_signature"),
        ("NaN", "malformed_signature"),
        ("", "malformed_signature"),
        ("-1", "malformed_signature"),
        ("\u0661\u0668\u0660\u0660", "malformed_signature"),
    ],
)
def test_a_time_is_plain_digits_near_now_even_when_it_was_signed(stamp: str, reason: str) -> None:
    digest = openssl_hmac(SECRET, f"{stamp}.".encode() + BODY)

    assert refused("timestamped", [("stripe-signature", f"t={stamp},v1={digest}")]) == reason


@pytest.mark.parametrize(
    "header",
    ["t=1", "v1=" + "0" * 64, "garbage", "t=1,t=2,v1=00", "t=1,v1=", "t=1,v1=zz", ",,,", "t=1,v1=00," * 17],
)
def test_a_header_without_its_parts_is_malformed_not_an_exception(header: str) -> None:
    assert refused("timestamped", [("stripe-signature", header)]) == "malformed_signature"


def test_more_than_32_signatures_are_not_tried() -> None:
    header = "t=1800000000," + ",".join(["v1=" + "0" * 64] * 32)

    assert refused("timestamped", [("stripe-signature", header)]) == "malformed_signature"


@HAS_OPENSSL
def test_the_template_says_what_is_signed_and_where_the_time_stands() -> None:
    digest = bytes.fromhex(openssl_hmac(SECRET, b"v0:1800000000:" + BODY + b"!", "sha512"))
    settings: dict[str, Any] = {
        "header": "X-Sig",
        "prefix": "v0=",
        "hash": "sha512",
        "encoding": "base64",
        "template": "v0:{timestamp}:{body}!",
        "timestamp_header": "X-Time",
    }
    headers = [("x-sig", "v0=" + base64.b64encode(digest).decode()), ("x-time", "1800000000")]

    assert make("hmac", [SECRET], **settings).verify(headers, BODY, NOW).signed_at == NOW
    assert refused("hmac", headers, at=NOW + 301, **settings) == "timestamp_too_old"
    assert refused("hmac", [headers[0]], **settings) == "missing_signature"
    assert refused("hmac", [("x-sig", headers[0][1][3:]), headers[1]], **settings) == "malformed_signature"


def test_base64_with_a_trailing_comma_is_malformed() -> None:
    text = base64.b64encode(bytes.fromhex(PUBLISHED)).decode()

    make("hmac", [SECRET], encoding="base64").verify([(HOPNOW, text)], BODY, NOW)
    for wrong in (
        text + ",",
        text[:-1],
        text + "=",
        text.replace("=", ""),
        " " + text[:10] + "\n" + text[10:],
    ):
        assert refused("hmac", [(HOPNOW, wrong)], encoding="base64") == "malformed_signature"


def test_what_we_sign_for_trials_is_what_openssl_would_sign() -> None:
    assert make("hopnow", [SECRET]).sign(BODY, NOW) == [("X-Webhook-Signature", "sha256=" + PUBLISHED)]


@pytest.mark.parametrize("scheme", ["hmac", "hopnow", "timestamped", "scalekit", "standard", "svix"])
@pytest.mark.parametrize("secrets", [[], [""], ["  "], [b""], ["good", ""], "whsec_abcd", b"whsec_abcd"])
def test_an_empty_secret_or_a_bare_text_is_refused_at_once(scheme: str, secrets: Any) -> None:
    with pytest.raises(ValueError):
        make(scheme, secrets)


@pytest.mark.parametrize(
    "settings",
    [
        {"hash": "md5"},
        {"encoding": "hex2"},
        {"template": "x"},
        {"template": "{timestamp}{body}"},
        {"timestamp_header": "X-Time"},
        {"template": "{body}{id}"},
        {"timestamp_unit": "minutes"},
        {"key_encoding": "base32"},
        {"construction": "suffix"},
        {"template": "{timestamp}.{body}", "timestamp_prefix": "t=", "prefix": "v1="},
        {"template": "{timestamp}.{body}", "timestamp_prefix": "t=", "separator": ","},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make("hmac", [SECRET], **settings)


@pytest.mark.parametrize(
    ("encoding", "secret"), [("base64", "=="), ("base64", "a"), ("hex", "0"), ("hex", "zz")]
)
def test_a_secret_that_is_empty_once_decoded_or_cannot_be_is_refused(encoding: str, secret: str) -> None:
    """`==` is nothing in the base64 of some Pythons."""
    with pytest.raises(ValueError, match="secret"):
        make("hmac", [secret], key_encoding=encoding)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000, b"{}", b'{"webhookTimestamp": true}'])
def test_a_body_without_its_signed_time_is_malformed(body: bytes) -> None:
    headers = [("linear-signature", openssl_hmac("key", body))]

    with pytest.raises(VerificationError, match="malformed_signature"):
        make("linear", ["key"]).verify(headers, body, NOW)


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="hmac, hopnow, hubspot"):
        make("stripee", [SECRET])
