"""Signatures that the providers themselves published, in their documents or the tests of their libraries."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from hookvitals.schemes import VerificationError, header_items, make
from tests.sdk.schemes.oracles import HAS_OPENSSL, b64, openssl_mac

SQUARE = (
    b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification",'
    b'"event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z",'
    b'"data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
)
SLACK = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SENDGRID = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
SENDGRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaIN"
    "XvVpiglSI8eNEc6wEA3F+g=="
)
SENDGRID_SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
)
HUBSPOT = b"{'example_field':'example_value'}"
HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HUBSPOT_URL = "https://www.example.com/webhook_uri"
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO = b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE"
TWILIO_DIGEST = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
TWILIO_JSON = b'{"property": "value", "boolean": true}'
ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"


@dataclass(frozen=True)
class Vector:
    scheme: str
    secret: str
    headers: dict[str, str]
    body: bytes
    at: float = 1_800_000_000.0
    url: str = ""
    method: str = "POST"

    def verify(self, body: bytes | None = None, url: str | None = None) -> None:
        scheme = make(self.scheme, [self.secret])
        headers = header_items(self.headers)
        body, url = self.body if body is None else body, self.url if url is None else url
        scheme.verify(headers, body, self.at, url, self.method)


def _adyen(signature: str, **changes: Any) -> bytes:
    item = {
        "additionalData": {"hmacSignature": signature},
        "amount": {"value": 1130, "currency": "EUR"},
        "pspReference": "7914073381342284",
        "eventCode": "AUTHORISATION",
        "eventDate": "2019-05-06T17:15:34.121+02:00",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "paymentMethod": "visa",
        "success": "true",
    }
    return json.dumps(
        {"live": "false", "notificationItems": [{"NotificationRequestItem": {**item, **changes}}]}
    ).encode()


ADYEN_SIGNATURE = "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="


def _twilio(signature: str, body: bytes = TWILIO, url: str = TWILIO_URL) -> Vector:
    return Vector("twilio", "12345", {"X-Twilio-Signature": signature}, body, url=url)


def _square(signature: str, body: bytes, secret: str, url: str) -> Vector:
    return Vector("square", secret, {"x-square-hmacsha256-signature": signature}, body, url=url)


VECTORS = {
    "github": Vector(
        "github",
        "It's a Secret to Everybody",
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
    ),
    "github, octokit": Vector(
        "github",
        "mysecret",
        {"X-Hub-Signature-256": "sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3"},
        b'{"foo":"bar"}',
    ),
    "shopify": Vector(
        "shopify",
        "test_secret_key",
        {"X-Shopify-Hmac-Sha256": "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="},
        b'{"foo": "bar"}',
    ),
    "slack": Vector(
        "slack",
        "8f742231b10e8888abcd99yyyzzz85a5",
        {
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "X-Slack-Request-Timestamp": "1531420618",
        },
        SLACK,
        at=1_531_420_618,
    ),
    "twilio": _twilio("RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    "twilio, a value twice": _twilio(
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=", b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
    ),
    "twilio, a port that was not signed": _twilio(
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=", url=TWILIO_URL.replace(".com", ".com:1234")
    ),
    "twilio, a port that was": _twilio(
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", url="http://mycompany.com:1234/myapp.php?foo=1&bar=2"
    ),
    "twilio, 443 that was signed": _twilio("kvajT1Ptam85bY51eRf/AJRuM3w="),
    "twilio, 80 that was signed": _twilio(
        "0ZXoZLH/DfblKGATFgpif+LLRf4=", url="http://mycompany.com/myapp.php?foo=1&bar=2"
    ),
    "twilio, a body by its digest": _twilio(
        "a9nBmqA0ju/hNViExpshrM61xv4=", TWILIO_JSON, f"{TWILIO_URL}&bodySHA256={TWILIO_DIGEST}"
    ),
    "sendgrid": Vector(
        "sendgrid",
        SENDGRID_KEY,
        {
            "X-Twilio-Email-Event-Webhook-Signature": SENDGRID_SIGNATURE,
            "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
        },
        SENDGRID,
        at=1_600_112_502,
    ),
    "square": _square(
        "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=",
        SQUARE,
        "Ibxx_5AKakO-3qeNVR61Dw",
        "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
    ),
    "square, brackets": _square(
        "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
        b'{"data":{"type":"webhooks","id":">id<"}}',
        "signature-key",
        "https://webhook.site/webhooks",
    ),
    "adyen": Vector("adyen", ADYEN_KEY, {}, _adyen(ADYEN_SIGNATURE)),
    "paddle": Vector(
        "paddle",
        "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
        {
            "Paddle-Signature": "ts=1696195954;"
            "h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02"
        },
        b"hello-world",
        at=1_696_195_954,
    ),
    "hubspot_v1": Vector(
        "hubspot_v1",
        HUBSPOT_SECRET,
        {"X-HubSpot-Signature": "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"},
        HUBSPOT,
    ),
    "hubspot_v2": Vector(
        "hubspot_v2",
        HUBSPOT_SECRET,
        {"X-HubSpot-Signature": "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"},
        HUBSPOT,
        url=HUBSPOT_URL,
    ),
    "hubspot": Vector(
        "hubspot",
        HUBSPOT_SECRET,
        {
            "X-HubSpot-Signature-V3": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
            "X-HubSpot-Request-Timestamp": "1693657560000",
        },
        HUBSPOT,
        at=1_693_657_560,
        url=HUBSPOT_URL,
    ),
    "hubspot, ruby": Vector(
        "hubspot",
        HUBSPOT_SECRET,
        {
            "X-HubSpot-Signature-V3": "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=",
            "X-HubSpot-Request-Timestamp": "1700000300000",
        },
        HUBSPOT,
        at=1_700_000_300,
        url=HUBSPOT_URL,
    ),
    "line": Vector(
        "line",
        "channel_secret",
        {"X-Line-Signature": "/gg9a+LvFevTH1sd7XCQycD7tsWclCsInj7MhBHxN7k="},
        b"bodybodybodybody",
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_a_published_signature_is_verified(vector: Vector) -> None:
    vector.verify()


@pytest.mark.parametrize("vector", [each for each in VECTORS.values() if each.scheme != "adyen"])
def test_a_published_signature_is_of_its_own_body_alone(vector: Vector) -> None:
    with pytest.raises(VerificationError, match="bad_signature"):
        vector.verify(body=vector.body + b"&more=1")


@pytest.mark.parametrize("vector", [each for each in VECTORS.values() if each.url])
def test_a_published_signature_is_of_its_own_url_alone(vector: Vector) -> None:
    for url in (vector.url + "&x=1", vector.url.replace("://", "://evil."), ""):
        with pytest.raises(VerificationError, match="bad_signature"):
            vector.verify(url=url)


@pytest.mark.parametrize(
    "changes",
    [
        {"pspReference": "7914073381342285"},
        {"originalReference": "1"},
        {"merchantAccountCode": "Other"},
        {"merchantReference": "Other"},
        {"amount": {"value": 1131, "currency": "EUR"}},
        {"amount": {"value": 1130, "currency": "USD"}},
        {"eventCode": "REFUND"},
        {"success": "false"},
    ],
    ids=lambda changes: str(*changes),
)
def test_each_of_adyens_eight_fields_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match="bad_signature"):
        make("adyen", [ADYEN_KEY]).verify([], _adyen(ADYEN_SIGNATURE, **changes), 0.0)


def test_one_forged_item_spoils_adyens_whole_batch() -> None:
    good, forged = json.loads(_adyen(ADYEN_SIGNATURE)), json.loads(_adyen(ADYEN_SIGNATURE, success="false"))
    good["notificationItems"] += forged["notificationItems"]

    with pytest.raises(VerificationError, match="bad_signature"):
        make("adyen", [ADYEN_KEY]).verify([], json.dumps(good).encode(), 0.0)


def test_an_item_of_adyens_without_a_signature_or_with_a_short_one_is_refused() -> None:
    for signature, reason in (("", "missing_signature"), ("AAAA", "malformed_signature")):
        with pytest.raises(VerificationError, match=reason):
            make("adyen", [ADYEN_KEY]).verify([], _adyen(signature), 0.0)


@pytest.mark.parametrize("number", [0, 33])
def test_a_batch_of_adyens_has_1_to_32_items(number: int) -> None:
    document = json.loads(_adyen(ADYEN_SIGNATURE))
    document["notificationItems"] *= number

    with pytest.raises(VerificationError, match="malformed_signature"):
        make("adyen", [ADYEN_KEY]).verify([], json.dumps(document).encode(), 0.0)


@pytest.mark.parametrize("item", [5, None, [], {}, {"NotificationRequestItem": 5}])
def test_an_item_of_adyens_that_is_none_is_refused(item: Any) -> None:
    document = json.loads(_adyen(ADYEN_SIGNATURE))
    document["notificationItems"].append(item)

    with pytest.raises(VerificationError, match="malformed_signature"):
        make("adyen", [ADYEN_KEY]).verify([], json.dumps(document).encode(), 0.0)


@pytest.mark.parametrize("amount", [{"value": 1e3}, {"value": []}, 5, {"value": 10**5000}])
def test_what_adyen_would_not_sign_is_refused(amount: Any) -> None:
    body = _adyen(ADYEN_SIGNATURE, amount="HERE").replace(b'"HERE"', _huge(amount))

    with pytest.raises(VerificationError, match=r"malformed_signature|bad_signature"):
        make("adyen", [ADYEN_KEY]).verify([], body, 0.0)


def _huge(amount: Any) -> bytes:
    """JSON, even of a number with more digits than Python likes to write."""
    if isinstance(amount, dict) and amount["value"] == 10**5000:
        return b'{"value": 1' + b"0" * 5000 + b"}"
    return json.dumps(amount).encode()


def test_another_body_than_the_one_in_twilios_url_is_refused() -> None:
    vector = VECTORS["twilio, a body by its digest"]

    with pytest.raises(VerificationError, match="bad_signature"):
        vector.verify(body=TWILIO_JSON + b" ")
    with pytest.raises(VerificationError, match="malformed_signature"):
        vector.verify(url=f"{vector.url}&bodySHA256={TWILIO_DIGEST}")


def test_a_form_of_too_many_fields_is_refused() -> None:
    with pytest.raises(VerificationError, match="malformed_signature"):
        VECTORS["twilio"].verify(body=b"&".join([b"a=1"] * 1001))


@HAS_OPENSSL
def test_hubspot_signs_the_url_with_some_characters_decoded() -> None:
    signed = b"POST" + b"https://www.example.com/hook?to=a@b.example&note=1%202" + HUBSPOT + b"1693657560000"
    text = b64(openssl_mac(HUBSPOT_SECRET.encode(), signed))
    headers = [("x-hubspot-signature-v3", text), ("x-hubspot-request-timestamp", "1693657560000")]
    url = "https://www.example.com/hook?to=a%40b.example&note=1%202"

    make("hubspot", [HUBSPOT_SECRET]).verify(headers, HUBSPOT, 1_693_657_560, url)


@HAS_OPENSSL
@pytest.mark.parametrize(
    ("scheme", "header", "text"),
    [
        ("github", "X-Hub-Signature", "sha1="),
        ("meta", "X-Hub-Signature", "sha1="),
        ("github", "X-Hub-Signature-256", "sha1="),
        ("hubspot", "X-HubSpot-Signature", ""),
        ("stripe", "Stripe-Signature", "t=1800000000,v0="),
        ("paddle", "Paddle-Signature", "ts=1800000000;h0="),
        ("slack", "X-Slack-Signature", "v9="),
    ],
)
def test_an_older_or_unknown_version_is_never_taken_in_place_of_ours(
    scheme: str, header: str, text: str
) -> None:
    digest = "sha1" if "sha1" in text else "sha256"
    signature = openssl_mac(b"key", b"1800000000.{}" if scheme == "stripe" else b"{}", digest).hex()

    with pytest.raises(VerificationError, match=r"missing_signature|malformed_signature"):
        make(scheme, ["key"]).verify([(header.lower(), text + signature)], b"{}", 1_800_000_000.0)


@HAS_OPENSSL
@pytest.mark.parametrize("times", ["t=1800000000,t=1800000000", "t=1800000000,t=1", "t=1,t=1800000000", "t="])
def test_two_times_in_a_header_or_an_empty_one_are_malformed(times: str) -> None:
    good = openssl_mac(b"key", b"1800000000.{}").hex()

    with pytest.raises(VerificationError, match="malformed_signature"):
        make("stripe", ["key"]).verify([("stripe-signature", f"{times},v1={good}")], b"{}", 1_800_000_000.0)


@HAS_OPENSSL
def test_versions_that_nobody_knows_yet_are_skipped() -> None:
    good = openssl_mac(b"key", b"1800000000.{}").hex()
    header = f"t=1800000000,v9=not even hex,v1={good},v0={'0' * 64}"

    make("stripe", ["key"]).verify([("stripe-signature", header)], b"{}", 1_800_000_000.0)


@pytest.mark.parametrize("secret", ["xyz", "0f0", "ADYEN"])
def test_a_key_that_is_not_hexadecimal_is_refused_without_being_shown(secret: str) -> None:
    for scheme in ("adyen", "adyen_platform"):
        with pytest.raises(ValueError, match="hex") as caught:
            make(scheme, [secret])
        assert secret not in repr(caught.value)
