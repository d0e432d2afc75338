"""Every provider as it signs, written down a second time, apart from the product's own table.

The signatures are made by the openssl command and by `cryptography`, never by our `sign`.
"""

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hookvitals.schemes import Scheme, VerificationError, Verified, header_items, make
from tests.sdk.schemes.oracles import (
    AUTHORITY,
    NOW,
    Certified,
    DiscordLike,
    JwsLike,
    OrumLike,
    SendGridLike,
    b64,
    b64url,
    openssl_mac,
)

Headers = list[tuple[str, str]]
URL = "https://hooks.example.com/webhooks/billing?tenant=7"
BODY = b'{"id": "evt_1",  "type": "invoice.paid", "n": 1.0}'


@dataclass(frozen=True)
class Request:
    """signature: the text that stands for the signature in the headers, or in the body."""

    headers: Headers
    body: bytes
    signature: str
    url: str = URL
    method: str = "POST"

    def with_signature(self, text: str) -> "Request":
        """The same with another signature."""
        headers = [(name, value.replace(self.signature, text)) for name, value in self.headers]
        body = self.body.replace(self.signature.encode(), text.encode("utf-8", "surrogatepass"))
        return replace(self, headers=headers, body=body, signature=text)

    def verified(self, scheme: Scheme, at: float = NOW) -> Verified:
        return scheme.verify(header_items(self.headers), self.body, at, self.url, self.method)


def verifies(request: Request, scheme: Scheme) -> bool:
    try:
        request.verified(scheme)
    except VerificationError:
        return False
    return True


def until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Returns once it holds: keys are renewed behind one's back."""
    ends_at = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < ends_at, f"not within {timeout_s} s"
        time.sleep(0.01)


@dataclass(frozen=True)
class Provider:
    """name: of the scheme. secrets: two, both good. sign: (secret, the time's text, body) → what is sent.

    encoding: of the signature; none for a token. unit: of the signed time, none without one. joint: what
    stands between two signatures where the header holds several. settings: that the scheme needs, by its
    secrets.
    """

    name: str
    secrets: tuple[str, str]
    sign: Callable[[str, str, bytes], Request] = field(repr=False)
    encoding: str = "hex"
    unit: str = ""
    tolerance_s: float = 300.0
    body: bytes = BODY
    joint: str = ""
    settings: Callable[[tuple[str, ...]], dict[str, Any]] = lambda secrets: {}

    def scheme(self, *secrets: str) -> Scheme:
        secrets = secrets or self.secrets[:1]
        return make(self.name, secrets, **self.settings(secrets))

    def request(
        self, *, secret: str = "", at: float = NOW, stamp: str | None = None, body: bytes = b""
    ) -> Request:
        text = self.stamp(at) if stamp is None else stamp
        return self.sign(secret or self.secrets[0], text, body or self.body)

    def stamp(self, at: float) -> str:
        if self.unit == "iso":
            return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return str(int(at * 1000) if self.unit == "ms" else int(at))


def tampered(request: Request) -> Request:
    """One signed byte of the body is another."""
    assert b"evt_1" in request.body
    return replace(request, body=request.body.replace(b"evt_1", b"evt_2"))


def _mac(
    name: str,
    header: str,
    content: Callable[[str, bytes], bytes] = lambda stamp, body: body,
    form: str = "{}",
    *,
    encoding: str = "hex",
    digest: str = "sha256",
    time: str = "",
    key: Callable[[str], bytes] = str.encode,
    secrets: tuple[str, str] = ("test_secret_123", "the secret of last quarter"),
    **more: Any,
) -> Provider:
    """A provider that signs with HMAC; form: of the header's value, after the time if it holds that, too."""

    def sign(secret: str, stamp: str, body: bytes) -> Request:
        mac = openssl_mac(key(secret), content(stamp, body), digest)
        text = mac.hex() if encoding == "hex" else b64(mac)
        headers = [(header, form.format(text, t=stamp))]
        if time:
            headers.append((time, stamp))
        return Request(headers, body, text)

    return Provider(name, secrets, sign, encoding, **more)


def _dotted(stamp: str, body: bytes) -> bytes:
    return f"{stamp}.".encode() + body


def _standard(name: str, prefix: str) -> Provider:
    def sign(secret: str, stamp: str, body: bytes) -> Request:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = b64(openssl_mac(key, f"msg_1.{stamp}.".encode() + body))
        headers = [
            (f"{prefix}-Id", "msg_1"),
            (f"{prefix}-Timestamp", stamp),
            (f"{prefix}-Signature", f"v1,{text}"),
        ]
        return Request(headers, body, text)

    secrets = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + b64(b"the secret of last quarter......"))
    return Provider(name, secrets, sign, "base64", "s", joint=" v1,")


def _plain_hash(name: str, content: Callable[[bytes], bytes]) -> Provider:
    def sign(secret: str, stamp: str, body: bytes) -> Request:
        text = hashlib.sha256(secret.encode() + content(body)).hexdigest()
        return Request([("X-HubSpot-Signature", text)], body, text)

    return Provider(name, ("test_secret_123", "the secret of last quarter"), sign)


ORUMS = {each.pem: each for each in (OrumLike(), OrumLike())}
SENDGRIDS = {each.public: each for each in (SendGridLike(), SendGridLike())}
DISCORDS = {each.public: each for each in (DiscordLike(), DiscordLike())}


def _two(known: dict[str, Any]) -> tuple[str, str]:
    first, second = known
    return first, second


@lru_cache(maxsize=256)
def _orum(secret: str, stamp: str, body: bytes) -> Request:
    text = ORUMS[secret].signature(body, "2027-01-15T08:00:00.000Z")
    return Request([("Signature", text)], body, text)


@lru_cache(maxsize=256)
def _sendgrid(secret: str, stamp: str, body: bytes) -> Request:
    text = b64(SENDGRIDS[secret].signature(stamp.encode() + body))
    name = "X-Twilio-Email-Event-Webhook"
    return Request([(f"{name}-Signature", text), (f"{name}-Timestamp", stamp)], body, text)


def _discord(secret: str, stamp: str, body: bytes) -> Request:
    text = DISCORDS[secret].signature(stamp.encode() + body).hex()
    return Request([("X-Signature-Ed25519", text), ("X-Signature-Timestamp", stamp)], body, text)


def _gitlab(secret: str, stamp: str, body: bytes) -> Request:
    return Request([("X-Gitlab-Token", secret)], body, secret)


def _twilio_form(stamp: str, body: bytes) -> bytes:
    return URL.encode() + b"CallSidevt_1From+14158675309" if b"evt_1" in body else b"another"


ADYEN_ITEM: dict[str, Any] = {
    "pspReference": "evt_1",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "TestPayment-1407325143704",
    "amount": {"value": 1130, "currency": "EUR"},
    "eventCode": "AUTHORISATION",
    "success": "true",
}
ADYEN_KEYS = ("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056", "0f" * 32)


def _adyen(secret: str, stamp: str, body: bytes) -> Request:
    content = b"evt_1::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"
    text = b64(openssl_mac(bytes.fromhex(secret), content))
    item = {**ADYEN_ITEM, "additionalData": {"hmacSignature": text}}
    return Request([], json.dumps({"notificationItems": [{"NotificationRequestItem": item}]}).encode(), text)


def _linear(secret: str, stamp: str, body: bytes) -> Request:
    number = stamp if stamp.isascii() and stamp.isdigit() else json.dumps(stamp)
    body = body.replace(b'"n": 1.0', f'"webhookTimestamp": {number}'.encode())
    text = openssl_mac(secret.encode(), body).hex()
    return Request([("Linear-Signature", text)], body, text)


PAYPAL_NAME = "messageverificationcerts.paypal.com"
PAYPAL = Certified(PAYPAL_NAME)
PAYPAL_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"


def _paypal(secret: str, stamp: str, body: bytes) -> Request:
    text = PAYPAL.signature(f"69cd13f0|{stamp}|{secret}|{zlib.crc32(body)}".encode())
    headers = {"Id": "69cd13f0", "Time": stamp, "Sig": text}
    listed = [(f"PAYPAL-TRANSMISSION-{name.upper()}", value) for name, value in headers.items()]
    listed += [("PAYPAL-CERT-URL", PAYPAL_URL), ("PAYPAL-AUTH-ALGO", "SHA256withRSA")]
    return Request(listed, body, text)


def paypal_settings(published: bytes) -> dict[str, Any]:
    """Where PayPal publishes this, under a root that this system did not know."""
    return {"fetch": {PAYPAL_URL: published}.__getitem__, "trusted": AUTHORITY.pem.decode()}


SNS = Certified("sns.amazonaws.com")
SNS_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"


def sns_message(topic: str, stamp: str, message: str, **more: str) -> dict[str, str]:
    """A notification of the topic, without its signature."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": topic,
        "Subject": "My subject",
        "Message": message,
        "Timestamp": stamp,
        "SignatureVersion": "2",
        "SigningCertURL": SNS_URL,
        **more,
    }


def _sns(secret: str, stamp: str, body: bytes) -> Request:
    message = sns_message(secret, stamp, body.decode())
    signed = "".join(
        f"{name}\n{message[name]}\n"
        for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    )
    text = SNS.signature(signed.encode())
    return Request([], json.dumps({**message, "Signature": text}).encode(), text)


PLAIDS = {f"client:{name}": JwsLike(ec.SECP256R1(), hashes.SHA256()) for name in ("bfbd5111", "6c5516e1")}


def plaid_answer(secrets: tuple[str, ...]) -> Callable[[str], bytes]:
    """What Plaid would answer, as far as it knows the keys behind these."""

    def fetch(key_id: str) -> bytes:
        known = PLAIDS[next(one for one in secrets if one == f"client:{key_id}")]
        return json.dumps({"key": {**known.jwk, "expired_at": None}}).encode()

    return fetch


def plaid_jwt(secret: str, head: dict[str, Any], claims: str) -> tuple[str, str]:
    """(what is signed, the signature)."""
    signed = f"{b64url(json.dumps(head).encode())}.{b64url(claims.encode())}"
    return signed, PLAIDS[secret].signature(signed.encode())


def _plaid(secret: str, stamp: str, body: bytes) -> Request:
    number = stamp if stamp.isascii() and stamp.isdigit() else json.dumps(stamp)
    claims = f'{{"iat": {number}, "request_body_sha256": "{hashlib.sha256(body).hexdigest()}"}}'
    head = {"alg": "ES256", "kid": secret.partition(":")[2], "typ": "JWT"}
    signed, signature = plaid_jwt(secret, head, claims)
    return Request([("Plaid-Verification", f"{signed}.{signature}")], body, signature)


TRUELAYERS = {
    f"https://webhooks.{name}/.well-known/jwks": JwsLike(ec.SECP521R1(), hashes.SHA512())
    for name in ("truelayer.com", "truelayer-sandbox.com")
}
TRUELAYER_KEY = "45fc75cf-5649-4134-84b3-192c2c78e990"
TRUELAYER_HEAD = {
    "alg": "ES512",
    "kid": TRUELAYER_KEY,
    "tl_version": "2",
    "tl_headers": "X-TL-Webhook-Timestamp,Content-Type",
}


def truelayer_answer(address: str) -> bytes:
    """The JWKS at the address, a key of another kind in it."""
    known = {**TRUELAYERS[address].jwk, "kid": TRUELAYER_KEY}
    return json.dumps({"keys": [{"kty": "RSA", "kid": "another", "n": "AQAB", "e": "AQAB"}, known]}).encode()


def truelayer(
    secret: str, stamp: str, body: bytes, path: str = "/webhooks/billing", **changes: Any
) -> Request:
    """As TrueLayer signs; changes: of the JWS's head."""
    head = b64url(json.dumps({**TRUELAYER_HEAD, "jku": secret, **changes}).encode())
    lines = f"POST {path}\nX-TL-Webhook-Timestamp: {stamp}\nContent-Type: application/json\n"
    text = TRUELAYERS[secret].signature(f"{head}.{b64url(lines.encode() + body)}".encode())
    sent = [("Tl-Signature", f"{head}..{text}"), ("X-TL-Webhook-Timestamp", stamp)]
    return Request([*sent, ("Content-Type", "application/json")], body, text)


@lru_cache(maxsize=256)
def _truelayer(secret: str, stamp: str, body: bytes) -> Request:
    return truelayer(secret, stamp, body)


MAILGUN_TOKEN = "evt_1" + "0a" * 22 + "f"


def _mailgun(secret: str, stamp: str, body: bytes) -> Request:
    text = openssl_mac(secret.encode(), f"{stamp}{MAILGUN_TOKEN}".encode()).hex()
    told = {"timestamp": stamp, "token": MAILGUN_TOKEN, "signature": text}
    return Request([], json.dumps({"signature": told, "event-data": {"event": "opened"}}).encode(), text)


def _stripes(name: str) -> Provider:
    form = "t={t},v1={}"
    return _mac(name, "Stripe-Signature", _dotted, form, unit="s", joint=",v1=")


def _v0(stamp: str, body: bytes) -> bytes:
    return f"v0:{stamp}:".encode() + body


def _stamped(stamp: str, body: bytes) -> bytes:
    return stamp.encode() + body


PROVIDERS: dict[str, Provider] = {
    each.name: each
    for each in (
        Provider(
            "orum", _two(ORUMS), _orum, "base64",
            body=b'{"event_id": "evt_1", "created_at": "2027-01-15T08:00:00.000Z"}',
        ),
        _mac("hopnow", "X-Webhook-Signature", form="sha256={}"),
        _standard("scalekit", "webhook"),
        _standard("standard", "webhook"),
        _standard("svix", "svix"),
        _standard("openai", "webhook"),
        _stripes("stripe"),
        _stripes("timestamped"),
        _mac("hmac", "X-Webhook-Signature"),
        _mac("github", "X-Hub-Signature-256", form="sha256={}"),
        _mac("shopify", "X-Shopify-Hmac-Sha256", encoding="base64"),
        _mac("slack", "X-Slack-Signature", _v0, "v0={}", time="X-Slack-Request-Timestamp", unit="s"),
        _mac(
            "twilio", "X-Twilio-Signature", _twilio_form, encoding="base64", digest="sha1",
            body=b"From=%2B14158675309&CallSid=evt_1",
        ),
        Provider("sendgrid", _two(SENDGRIDS), _sendgrid, "base64", "s"),
        _mac(
            "square", "x-square-hmacsha256-signature", lambda t, body: URL.encode() + body, encoding="base64",
        ),
        Provider("adyen", ADYEN_KEYS, _adyen, "base64"),
        _mac("adyen_platform", "HmacSignature", encoding="base64", key=bytes.fromhex, secrets=ADYEN_KEYS),
        _mac(
            "paddle", "Paddle-Signature", lambda t, body: f"{t}:".encode() + body, "ts={t};h1={}", unit="s",
            joint=";h1=",
        ),
        _mac(
            "hubspot", "X-HubSpot-Signature-v3", lambda t, body: b"POST" + URL.encode() + body + t.encode(),
            encoding="base64", time="X-HubSpot-Request-Timestamp", unit="ms",
        ),
        _plain_hash("hubspot_v2", lambda body: b"POST" + URL.encode() + body),
        _plain_hash("hubspot_v1", lambda body: body),
        Provider("discord", _two(DISCORDS), _discord, "hex", "s"),
        Provider("linear", ("lin_wh_one", "lin_wh_two"), _linear, "hex", "ms", 60.0),
        _mac(
            "zendesk", "X-Zendesk-Webhook-Signature", _stamped, encoding="base64",
            time="X-Zendesk-Webhook-Signature-Timestamp", unit="iso",
        ),
        _mac("outpost", "x-outpost-signature", form="v0={}", joint=","),
        _mac("line", "x-line-signature", encoding="base64"),
        _mac("zoom", "x-zm-signature", _v0, "v0={}", time="x-zm-request-timestamp", unit="s"),
        Provider(
            "paypal", ("1JE4291016473214C", "9XX12345"), _paypal, "base64", "iso", 259_500.0,
            settings=lambda _: paypal_settings(PAYPAL.chain),
        ),
        Provider(
            "sns", ("arn:aws:sns:eu-west-1:123456789012:one", "arn:aws:sns:eu-west-1:123456789012:two"),
            _sns, "base64", "iso", 3900.0, settings=lambda _: {"fetch": {SNS_URL: SNS.pem}.__getitem__},
        ),
        Provider(
            "plaid", _two(PLAIDS), _plaid, "jws", "s", settings=lambda known: {"fetch": plaid_answer(known)},
        ),
        Provider(
            "truelayer", _two(TRUELAYERS), _truelayer, "jws", "iso",
            settings=lambda _: {"fetch": truelayer_answer},
        ),
        Provider("mailgun", ("key-3ax6xnjp29jd6fds4gc373sgvj", "key-of-last-quarter"), _mailgun, unit="s"),
        Provider("gitlab", ("glpat-one", "glpat-two"), _gitlab, "token"),
        _mac("intercom", "X-Hub-Signature", form="sha1={}", digest="sha1"),
        _mac("typeform", "Typeform-Signature", form="sha256={}", encoding="base64"),
        _mac("vercel", "x-vercel-signature", digest="sha1"),
        _mac("meta", "X-Hub-Signature-256", form="sha256={}"),
    )
}  # fmt: skip
