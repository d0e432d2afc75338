"""PayPal, SNS, Plaid and Orum: whose certificate, by which issuer, which key, what a request makes us ask."""

import hashlib
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hookvitals.key_fetch import KeyUnavailable
from hookvitals.schemes import VerificationError, header_items, make
from hookvitals.schemes.plaid import asking
from tests.sdk.schemes.oracles import AUTHORITY, NOW, Authority, Certified, JwsLike, OrumLike
from tests.sdk.schemes.providers import (
    PAYPAL,
    PAYPAL_NAME,
    PAYPAL_URL,
    PLAIDS,
    PROVIDERS,
    SNS,
    SNS_URL,
    Request,
    paypal_settings,
    plaid_answer,
    plaid_jwt,
    sns_message,
    until,
    verifies,
)
from tests.sdk.world import Clock

TOPIC = PROVIDERS["sns"].secrets[0]
STAMP = "2027-01-15T08:00:00.000Z"


class Asked:
    """A fetch that remembers what it was asked for."""

    def __init__(self, published: dict[str, bytes]) -> None:
        self.published = published
        self.names: list[str] = []

    def __call__(self, name: str) -> bytes:
        self.names.append(name)
        if name not in self.published:
            raise KeyUnavailable("404")
        return self.published[name]


def refused(scheme: Any, request: Request, at: float = NOW) -> str:
    with pytest.raises(VerificationError) as caught:
        request.verified(scheme, at)
    return caught.value.reason


def paypal(request: Request, **headers: str) -> Request:
    changed = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return replace(
        request, headers=[(name, changed.get(name.lower(), value)) for name, value in request.headers]
    )


def sns(signed_by: Certified = SNS, digest: hashes.HashAlgorithm | None = None, **changes: str) -> Request:
    message = sns_message(TOPIC, STAMP, "evt_1", **changes)
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if message["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{message[name]}\n" for name in names)
    text = signed_by.signature(signed.encode(), digest)
    return Request([], json.dumps({**message, "Signature": text}).encode(), text)


def test_a_certificate_is_fetched_once() -> None:
    asked = Asked({PAYPAL_URL: PAYPAL.chain})
    scheme = make("paypal", list(PROVIDERS["paypal"].secrets), fetch=asked, trusted=AUTHORITY.pem.decode())

    for _ in range(3):
        PROVIDERS["paypal"].request().verified(scheme)

    assert asked.names == [PAYPAL_URL]


def test_nothing_is_asked_for_before_a_request_comes() -> None:
    asked = Asked({})

    make("paypal", ["id"], fetch=asked)
    make("sns", [TOPIC], fetch=asked)
    make("plaid", ["client:secret"], fetch=asked)
    make("orum", [], fetch=asked)

    assert asked.names == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/notifications/certs/CERT-1",
        "http://127.0.0.1/x",
        PAYPAL_URL + "/..",
        "x",
        SNS_URL,
    ],
)
def test_a_request_cannot_make_us_ask_elsewhere(url: str) -> None:
    asked = Asked({url: PAYPAL.pem, SNS_URL: SNS.pem})
    provider = PROVIDERS["paypal"]
    forged = paypal(provider.request(), paypal_cert_url=url)

    assert refused(make("paypal", [provider.secrets[0]], fetch=asked), forged) == "unknown_key"
    if url != SNS_URL:
        assert refused(make("sns", [TOPIC], fetch=asked), sns(SigningCertURL=url)) == "unknown_key"
    assert asked.names == []


def test_made_up_certificates_are_asked_for_sparingly() -> None:
    asked = Asked({})
    scheme = make("paypal", ["id"], fetch=asked)

    for number in range(200):
        forged = paypal(PROVIDERS["paypal"].request(), paypal_cert_url=f"{PAYPAL_URL}{number}")
        assert refused(scheme, forged) == "unknown_key"

    assert len(asked.names) == 10


STRANGER = Authority()
TOO_OLD, TOO_YOUNG = Authority(2015, 2026), Authority(2030, 2045)
LATE, EARLY = Certified(PAYPAL_NAME, issuer=TOO_OLD), Certified(PAYPAL_NAME, issuer=TOO_YOUNG)
FORGED = Certified(PAYPAL_NAME, issuer=STRANGER)
CHAINS = {
    "another's": (Certified("messageverificationcerts.paypal.com.evil.example").chain, "not the provider's"),
    "nearly": (Certified("messageverificationcerts.evilpaypal.com").chain, "not the provider's"),
    "of another purpose": (Certified("www.paypal.com").chain, "not the provider's"),
    "expired": (Certified(PAYPAL_NAME, 2020, 2026).chain, "not valid now"),
    "not yet": (Certified(PAYPAL_NAME, 2030, 2040).chain, "not valid now"),
    "self-signed": (Certified(PAYPAL_NAME, issuer=None).chain, "no chain"),
    "of an issuer nobody trusts": (FORGED.chain, "no chain"),
    "with that issuer's root": (FORGED.chain + STRANGER.pem, "no chain"),
    "alone": (PAYPAL.pem, "no chain"),
    "with another's issuers": (FORGED.pem + AUTHORITY.intermediate, "no chain"),
    "its issuer first": (AUTHORITY.intermediate + PAYPAL.pem, "no key"),
    "its issuer expired": (LATE.pem + TOO_OLD.intermediate + TOO_OLD.pem, "no chain"),
}


@pytest.mark.parametrize(("published", "said"), CHAINS.values(), ids=CHAINS)
def test_a_certificate_that_is_not_paypals_or_has_no_chain_is_refused(published: bytes, said: str) -> None:
    scheme = make("paypal", [PROVIDERS["paypal"].secrets[0]], **paypal_settings(published))

    with pytest.raises(VerificationError, match=f"unknown_key.*{said}"):
        PROVIDERS["paypal"].request().verified(scheme)


@pytest.mark.parametrize(("signed_by", "issuer"), [(LATE, TOO_OLD), (EARLY, TOO_YOUNG)])
def test_an_issuer_must_be_valid_now_too(signed_by: Certified, issuer: Authority) -> None:
    """Both verify in a year in which the issuer was, or will be, valid."""
    root = issuer.pem.decode()
    fetch = Asked({PAYPAL_URL: signed_by.chain})
    scheme = make("paypal", ["id"], fetch=fetch, trusted=root, tolerance_s=1e9)
    signature = signed_by.signature(f"1|{STAMP}|id|{zlib.crc32(b'{}')}".encode())
    names = {"id": "1", "time": STAMP, "sig": signature}
    headers = [(f"paypal-transmission-{name}", value) for name, value in names.items()]
    headers += [("paypal-cert-url", PAYPAL_URL), ("paypal-auth-algo", "SHA256withRSA")]
    then = datetime(2025 if issuer is TOO_OLD else 2031, 6, 1, tzinfo=UTC).timestamp()

    scheme.verify(headers, b"{}", then)
    with pytest.raises(VerificationError, match="no chain"):
        scheme.verify(headers, b"{}", NOW)


def test_the_roots_of_this_system_are_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In one file, or in a folder that OpenSSL reads root by root."""
    file, folder = tmp_path / "roots.pem", tmp_path / "roots"
    file.write_bytes(STRANGER.pem + AUTHORITY.pem)
    folder.mkdir()
    (folder / "0a1b2c3d.0").write_text("no certificate")
    (folder / "1b2c3d4e.0").write_bytes(AUTHORITY.pem)
    for given in ({"SSL_CERT_FILE": file}, {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": folder}):
        for name, path in given.items():
            monkeypatch.setenv(name, str(path))
        fetch = Asked({PAYPAL_URL: PAYPAL.chain})

        PROVIDERS["paypal"].request().verified(make("paypal", ["1JE4291016473214C"], fetch=fetch))


def test_a_system_without_roots_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    fetch = Asked({PAYPAL_URL: PAYPAL.chain})

    request = PROVIDERS["paypal"].request()
    assert refused(make("paypal", ["1JE4291016473214C"], fetch=fetch), request) == "unknown_key"


@pytest.mark.parametrize("text", ["/roots.pem", "-----BEGIN CERTIFICATE-----\n", AUTHORITY.pem.decode() * 9])
def test_what_is_trusted_is_looked_at_when_the_scheme_is_made(text: str) -> None:
    with pytest.raises(ValueError, match="trusted is the PEM of certificates"):
        make("paypal", ["id"], trusted=text)


def test_another_algorithm_than_the_one_we_check_is_refused() -> None:
    scheme = make("paypal", [PROVIDERS["paypal"].secrets[0]], **paypal_settings(PAYPAL.chain))

    assert (
        refused(scheme, paypal(PROVIDERS["paypal"].request(), paypal_auth_algo="none"))
        == "malformed_signature"
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        PAYPAL.chain + AUTHORITY.intermediate * 7,
    ],
)
def test_what_is_no_certificate_is_an_unknown_key(text: bytes) -> None:
    scheme = make("paypal", [PROVIDERS["paypal"].secrets[0]], **paypal_settings(text))

    assert refused(scheme, PROVIDERS["paypal"].request()) == "unknown_key"


def test_both_versions_of_sns_are_verified_each_by_its_own_hash() -> None:
    scheme = make("sns", [TOPIC], fetch=Asked({SNS_URL: SNS.pem}))

    sns().verified(scheme)
    sns(digest=hashes.SHA1(), SignatureVersion="1").verified(scheme)
    assert refused(scheme, sns(SignatureVersion="1")) == "bad_signature"
    assert refused(scheme, sns(SignatureVersion="3")) == "malformed_signature"


def test_sha1_can_be_left_out() -> None:
    scheme = make("sns", [TOPIC], fetch=Asked({SNS_URL: SNS.pem}), versions=("2",))

    sns().verified(scheme)
    old = sns(digest=hashes.SHA1(), SignatureVersion="1")
    assert refused(scheme, old) == "malformed_signature"


def test_a_confirmation_of_a_subscription_is_verified_by_its_own_fields() -> None:
    scheme = make("sns", [TOPIC], fetch=Asked({SNS_URL: SNS.pem}))
    confirm = "https://sns.example/confirm"
    request = sns(Type="SubscriptionConfirmation", Token="abc", SubscribeURL=confirm)

    request.verified(scheme)
    elsewhere = replace(request, body=request.body.replace(b"sns.example", b"evil.example"))
    assert refused(scheme, elsewhere) == "bad_signature"


def test_a_topic_that_is_none_of_ours_is_refused_before_anything_is_asked() -> None:
    asked = Asked({SNS_URL: SNS.pem})

    foreign = sns(TopicArn="arn:aws:sns:eu-west-1:999999999999:orders")

    assert refused(make("sns", [TOPIC], fetch=asked), foreign) == "unknown_key"
    assert asked.names == []


@pytest.mark.parametrize("topic", ["orders", "arn:aws:sqs:eu-west-1:123456789012:orders", "arn:aws:sns:::"])
def test_sns_needs_the_arn_of_a_topic(topic: str) -> None:
    with pytest.raises(ValueError, match="ARN"):
        make("sns", [topic])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Certified("s3.amazonaws.com"), "not the provider's"),
        (Certified("sns.amazonaws.com.evil.example"), "not the provider's"),
        (Certified("sns.amazonaws.com", 2020, 2026), "not valid now"),
        (Certified("sns.amazonaws.com", 2030, 2040), "not valid now"),
    ],
    ids=["another's", "nearly", "expired", "not yet"],
)
def test_a_certificate_that_is_not_snss_or_not_valid_now_is_refused(other: Certified, said: str) -> None:
    with pytest.raises(VerificationError, match=f"unknown_key.*{said}"):
        sns(other).verified(make("sns", [TOPIC], fetch=Asked({SNS_URL: other.pem})))


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"alg": "none", "kid": "bfbd5111"}, "malformed_signature"),
        ({"alg": "HS256", "kid": "bfbd5111"}, "malformed_signature"),
        ({"alg": "ES256"}, "malformed_signature"),
        ({"alg": "ES256", "kid": "../etc"}, "malformed_signature"),
        ({"alg": "ES256", "kid": ["bfbd5111"]}, "malformed_signature"),
        ({"alg": "ES256", "kid": "nobodys"}, "unknown_key"),
    ],
)
def test_a_jwt_of_another_kind_or_an_unknown_key_is_refused(head: dict[str, Any], reason: str) -> None:
    secret = next(iter(PLAIDS))
    signed, signature = plaid_jwt(secret, head, '{"iat": 1800000000, "request_body_sha256": ""}')
    scheme = make("plaid", [secret], fetch=plaid_answer((secret,)))

    assert refused(scheme, Request([("Plaid-Verification", f"{signed}.{signature}")], b"", "")) == reason


@pytest.mark.parametrize(
    "claims",
    [
        "[]",
        "{}",
        '{"iat": true, "request_body_sha256": "00"}',
        '{"iat": 1e400, "request_body_sha256": "00"}',
        '{"iat": 1800000000}',
        '{"iat": 1800000000, "request_body_sha256": 5}',
        "{" * 2000,
    ],
)
def test_claims_that_are_none_are_malformed(claims: str) -> None:
    secret = next(iter(PLAIDS))
    signed, signature = plaid_jwt(secret, {"alg": "ES256", "kid": "bfbd5111"}, claims)
    scheme = make("plaid", [secret], fetch=plaid_answer((secret,)))

    request = Request([("Plaid-Verification", f"{signed}.{signature}")], b"", "")
    assert refused(scheme, request) == "malformed_signature"


@pytest.mark.parametrize(
    "changes",
    [
        {"expired_at": 1_790_000_000},
        {"kty": "RSA"},
        {"crv": "P-521"},
        {"x": 5},
        {"x": "AA"},
        {"x": "*"},
        JwsLike(ec.SECP521R1(), hashes.SHA512()).jwk,
    ],
    ids=["expired", "kty", "crv", "number", "short", "no base64", "another curve"],
)
def test_a_key_that_has_expired_or_is_none_is_unknown(changes: dict[str, Any]) -> None:
    secret = next(iter(PLAIDS))
    answer = json.loads(plaid_answer((secret,))("bfbd5111"))["key"]
    scheme = make("plaid", [secret], fetch=lambda _: json.dumps({"key": {**answer, **changes}}).encode())

    assert refused(scheme, PROVIDERS["plaid"].request()) == "unknown_key"


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"key": 5}', b'{"key": {}}', b"[" * 60_000])
def test_an_answer_of_plaids_without_a_key_is_an_unknown_key(answer: bytes) -> None:
    scheme = make("plaid", [next(iter(PLAIDS))], fetch=lambda _: answer)

    assert refused(scheme, PROVIDERS["plaid"].request()) == "unknown_key"


def test_a_jwt_of_another_body_is_refused() -> None:
    secret = next(iter(PLAIDS))
    claims = {"iat": 1_800_000_000, "request_body_sha256": hashlib.sha256(b"another").hexdigest()}
    signed, signature = plaid_jwt(secret, {"alg": "ES256", "kid": "bfbd5111"}, json.dumps(claims))
    scheme = make("plaid", [secret], fetch=plaid_answer((secret,)))

    request = Request([("Plaid-Verification", f"{signed}.{signature}")], b"{}", "")
    assert refused(scheme, request) == "bad_signature"


@pytest.mark.parametrize("secret", ["client", "client:", ":secret", ":"])
def test_plaid_needs_an_account_to_ask_with(secret: str) -> None:
    with pytest.raises(ValueError, match="client_id"):
        make("plaid", [secret])


def test_plaid_is_asked_with_the_first_account_that_it_lets_in() -> None:
    questions: list[tuple[str, Any]] = []

    def post(url: str, body: bytes) -> bytes:
        questions.append((url, json.loads(body)))
        if questions[-1][1]["client_id"] == "old":
            raise KeyUnavailable("sandbox.plaid.com answered 400")
        return b"{}"

    assert asking([("old", "1"), ("new", "2"), ("newer", "3")], "https://plaid", post)("key") == b"{}"
    assert questions == [
        ("https://plaid", {"client_id": client, "secret": secret, "key_id": "key"})
        for client, secret in (("old", "1"), ("new", "2"))
    ]
    with pytest.raises(KeyUnavailable, match="answered 400"):
        asking([("old", "1")], "https://plaid", post)("key")


def test_plaid_has_two_environments() -> None:
    make("plaid", ["client:secret"], environment="sandbox")
    with pytest.raises(ValueError, match="production or sandbox"):
        make("plaid", ["client:secret"], environment="sandbox.plaid.com.evil.example/")


@pytest.mark.parametrize("body", [b"5", b"[]", b'"x"', b"null"])
def test_a_message_of_snss_that_is_no_object_is_malformed(body: bytes) -> None:
    assert refused(make("sns", [TOPIC], fetch=Asked({})), Request([], body, "")) == "malformed_signature"


@pytest.mark.parametrize("name", ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SigningCertURL"])
def test_a_field_of_snss_that_is_no_text_is_malformed(name: str) -> None:
    message = {**json.loads(sns().body), name: 5}
    scheme = make("sns", [TOPIC], fetch=Asked({SNS_URL: SNS.pem}))

    assert refused(scheme, Request([], json.dumps(message).encode(), "")) == "malformed_signature"


@pytest.mark.parametrize("versions", [(), ("3",), ("2", "0")])
def test_sns_has_two_versions(versions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="1, 2"):
        make("sns", [TOPIC], versions=versions)


def test_orums_key_that_cannot_be_had_is_an_unknown_key_or_leaves_the_configured_one() -> None:
    known, other = OrumLike(), OrumLike()
    body = b'{"created_at": "2027-01-15T08:00:00Z"}'
    forged = Request([("Signature", other.signature(body, "2027-01-15T08:00:00Z"))], body, "")

    assert refused(make("orum", [], fetch=Asked({})), forged) == "unknown_key"
    assert refused(make("orum", [known.pem], fetch=Asked({})), forged) == "bad_signature"


def test_orums_published_key_is_used_and_forgeries_do_not_ask_for_it_again_at_once() -> None:
    old, new = OrumLike(), OrumLike()
    asked = Asked({"orum": old.pem.encode()})
    scheme = make("orum", [], fetch=asked)
    body = b'{"event_id": "evt_1", "created_at": "2027-01-15T08:00:00Z"}'

    def signed(by: OrumLike) -> Any:
        return scheme.verify(
            header_items([("Signature", by.signature(body, "2027-01-15T08:00:00Z"))]), body, NOW
        )

    signed(old)
    with pytest.raises(VerificationError, match="bad_signature"):
        signed(new)
    assert asked.names == ["orum"]


def test_orums_new_key_is_asked_for_behind_and_then_taken() -> None:
    old, new, clock = OrumLike(), OrumLike(), Clock()
    body = b'{"created_at": "2027-01-15T08:00:00Z"}'
    request = Request([("Signature", new.signature(body, "2027-01-15T08:00:00Z"))], body, "")
    scheme = make(
        "orum", [], fetch=lambda _: (old if clock.now == NOW else new).pem.encode(), monotonic=clock
    )

    assert refused(scheme, request) == "bad_signature"
    clock.now += 61
    assert refused(scheme, request) == "bad_signature"

    until(lambda: verifies(request, scheme))


def test_orums_own_configured_key_needs_no_fetch() -> None:
    known, asked = OrumLike(), Asked({})
    body = b'{"event_id": "evt_1", "created_at": "2027-01-15T08:00:00Z"}'
    headers = [("signature", known.signature(body, "2027-01-15T08:00:00Z"))]

    make("orum", [known.pem], fetch=asked).verify(headers, body, NOW)

    assert asked.names == []
