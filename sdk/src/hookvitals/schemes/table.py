"""Every signature scheme by name, one row each. The documentation's table is made from this one.

Decides nothing: a row is settings for a class that does.
"""

from dataclasses import dataclass, fields, replace
from functools import partial
from importlib import import_module
from typing import Any, Callable, Dict, Optional, Sequence, Union

from hookvitals.schemes.hmac_scheme import TIMESTAMPED, HmacScheme
from hookvitals.schemes.signed import DEFAULT_TOLERANCE_S, PAYPAL_TOLERANCE_S, SNS_TOLERANCE_S
from hookvitals.schemes.standard import StandardScheme


@dataclass(frozen=True)
class Kind:
    """What builds a scheme, and what is told of it.

    build: takes secrets and settings. header: holds the signature; empty where the body does. form: of its
    value, `…` for the signature. signature: its algorithm and encoding. signed: what it covers.
    tolerance_s: how far the signed time may lie from now, None where no time is signed. keys: what `secrets`
    are. extra: of the SDK, that must be installed. covers_body: False where another body would pass, too.
    """

    build: Callable[..., Any]
    header: str
    signature: str
    signed: str
    form: str = "…"
    tolerance_s: Optional[float] = None
    keys: str = "signing secrets"
    extra: str = ""
    covers_body: bool = True


def _later(name: str) -> Callable[..., Any]:
    """Builds a scheme whose module is imported when the first one is made: a program knows one or two
    sources, and the schemes of all the others took a fifth of the time that importing the SDK takes."""
    module, _, kind = name.partition(".")

    def build(secrets: Sequence[Union[str, bytes]], **settings: Any) -> Any:
        return getattr(import_module(f"hookvitals.schemes.{module}"), kind)(secrets, **settings)

    return build


_PUBLIC_KEY = _later("public_key_scheme.PublicKeyScheme")


def _row(made: Callable[..., Any], **settings: Any) -> Dict[str, Any]:
    """What a row of settings tells of itself."""
    found: Dict[str, Any] = {**{each.name: each.default for each in fields(HmacScheme)}, **settings}
    timed = found["timestamp_header"] or found["timestamp_prefix"] or found["timestamp_field"]
    return {
        "build": partial(made, **settings),
        "header": found["header"],
        "form": _form(found),
        "signed": found["template"],
        "tolerance_s": found["tolerance_s"] if timed else None,
        "hash": found["hash"].upper().replace("SHA", "SHA-"),
        "encoding": found["encoding"],
        "plain": found["construction"] == "prefix",
    }


def _form(found: Dict[str, Any]) -> str:
    one = found["prefix"] + "…"
    if found["timestamp_prefix"]:
        return f"{found['timestamp_prefix']}…{found['separator']}{one}"
    return f"{one}{found['separator']}…" if found["separator"] else one


def _hmac(keys: str = "signing secrets", **settings: Any) -> Kind:
    row = _row(HmacScheme, **settings)
    name, plain, encoding = row.pop("hash"), row.pop("plain"), row.pop("encoding")
    row["signed"] = "{secret}" * plain + row["signed"]
    return Kind(signature=f"{name if plain else 'HMAC-' + name}, {encoding}", keys=keys, **row)


def _public(algorithm: str, told: str, keys: str, **settings: Any) -> Kind:
    row = _row(_PUBLIC_KEY, **settings)
    del row["hash"], row["plain"]
    row["build"] = partial(_PUBLIC_KEY, algorithm=algorithm, **settings)
    return Kind(signature=f"{told}, {row.pop('encoding')}", keys=keys, extra="crypto", **row)


def _standard(prefix: str = "webhook") -> Kind:
    return Kind(
        partial(StandardScheme, header_prefix=prefix),
        f"{prefix}-signature",
        "HMAC-SHA-256 or Ed25519, base64",
        f"{{{prefix}-id}}.{{{prefix}-timestamp}}.{{body}}",
        "v1,… or v1a,…",
        DEFAULT_TOLERANCE_S,
        "`whsec_…`, or `whpk_…` with the extra `crypto`",
    )


SCHEMES: Dict[str, Kind] = {
    "orum": Kind(
        _later("orum.OrumScheme"), "Signature", "RSA-2048 PKCS#1 v1.5 SHA-256, base64",
        "{body}{created_at of the body}", keys="Orum's public keys", extra="crypto",
    ),
    # its guide shows bare hex, its live documentation sha256=<hex>
    "hopnow": _hmac(header="X-Webhook-Signature", prefix="sha256=", prefix_optional=True),
    "scalekit": Kind(
        _later("scalekit.ScalekitScheme"), "webhook-signature", "HMAC-SHA-256, base64 or hex",
        "{webhook-id}.{webhook-timestamp}.{body} or {t}.{body}", "v1,… or t=…,v1=…", DEFAULT_TOLERANCE_S,
    ),
    "standard": _standard(),
    "svix": _standard("svix"),
    "openai": _standard(),
    "stripe": _hmac(**TIMESTAMPED),
    "github": _hmac(header="X-Hub-Signature-256", prefix="sha256="),
    "shopify": _hmac(header="X-Shopify-Hmac-Sha256", encoding="base64"),
    "slack": _hmac(
        header="X-Slack-Signature", prefix="v0=", template="v0:{timestamp}:{body}",
        timestamp_header="X-Slack-Request-Timestamp",
    ),
    "twilio": Kind(
        _later("twilio.TwilioScheme"), "X-Twilio-Signature", "HMAC-SHA-1, base64",
        "{url}{sorted form fields}, or the url with bodySHA256", keys="auth tokens",
    ),
    "sendgrid": _public(
        "ecdsa", "ECDSA P-256 SHA-256 in DER", "verification keys",
        header="X-Twilio-Email-Event-Webhook-Signature", encoding="base64", template="{timestamp}{body}",
        timestamp_header="X-Twilio-Email-Event-Webhook-Timestamp",
    ),
    "square": _hmac(
        header="X-Square-HmacSha256-Signature", encoding="base64", template="{url}{body}",
    ),
    "adyen": Kind(
        _later("adyen.AdyenScheme"), "", "HMAC-SHA-256, base64", "eight fields of the item, joined by colons",
        "`additionalData.hmacSignature` of each item", keys="HMAC keys in hexadecimal",
    ),
    "adyen_platform": _hmac(
        "HMAC keys in hexadecimal", header="HmacSignature", encoding="base64", key_encoding="hex",
    ),
    "paddle": _hmac(
        header="Paddle-Signature", separator=";", timestamp_prefix="ts=", prefix="h1=",
        template="{timestamp}:{body}",
    ),
    "hubspot": _hmac(
        header="X-HubSpot-Signature-V3", encoding="base64", template="{method}{url}{body}{timestamp}",
        timestamp_header="X-HubSpot-Request-Timestamp", timestamp_unit="ms", url_decoded=":/?@!$'()*,;",
    ),
    "hubspot_v2": _hmac(header="X-HubSpot-Signature", construction="prefix", template="{method}{url}{body}"),
    "hubspot_v1": _hmac(header="X-HubSpot-Signature", construction="prefix"),
    "discord": _public(
        "ed25519", "Ed25519", "public keys in hexadecimal", header="X-Signature-Ed25519",
        template="{timestamp}{body}", timestamp_header="X-Signature-Timestamp",
    ),
    # its time header is not signed, the body's field is; 60 s are Linear's own advice
    "linear": _hmac(
        header="Linear-Signature", timestamp_field="webhookTimestamp", timestamp_unit="ms", tolerance_s=60.0,
    ),
    "zendesk": _hmac(
        header="X-Zendesk-Webhook-Signature", encoding="base64", template="{timestamp}{body}",
        timestamp_header="X-Zendesk-Webhook-Signature-Timestamp", timestamp_unit="iso",
    ),
    "outpost": _hmac(header="X-Outpost-Signature", prefix="v0=", separator=","),
    "line": _hmac(header="X-Line-Signature", encoding="base64"),
    "zoom": _hmac(
        header="X-Zm-Signature", prefix="v0=", template="v0:{timestamp}:{body}",
        timestamp_header="X-Zm-Request-Timestamp",
    ),
    "gitlab": Kind(
        _later("token.TokenScheme"), "X-Gitlab-Token", "the token itself", "nothing",
        keys="secret tokens", covers_body=False,
    ),
    "paypal": Kind(
        _later("paypal.PayPalScheme"), "Paypal-Transmission-Sig", "RSA PKCS#1 v1.5 SHA-256, base64",
        "{id}|{time}|{webhook id}|{CRC-32 of body}", tolerance_s=PAYPAL_TOLERANCE_S, keys="webhook ids",
        extra="crypto",
    ),
    "sns": Kind(
        _later("sns.SnsScheme"), "", "RSA PKCS#1 v1.5 SHA-1 or SHA-256, base64", "named fields of the body",
        "`Signature`", SNS_TOLERANCE_S, "topic ARNs", "crypto",
    ),
    "plaid": Kind(
        _later("plaid.PlaidScheme"), "Plaid-Verification", "JWT with ES256",
        "SHA-256 of the body, and the time", tolerance_s=DEFAULT_TOLERANCE_S,
        keys="`client_id:secret`", extra="crypto",
    ),
    "truelayer": Kind(
        _later("truelayer.TrueLayerScheme"), "Tl-Signature", "detached JWS with ES512",
        "{method} {path}, named headers, {body}", tolerance_s=DEFAULT_TOLERANCE_S,
        keys="addresses of the keys", extra="crypto",
    ),
    "mailgun": Kind(
        _later("mailgun.MailgunScheme"), "", "HMAC-SHA-256, hex", "{timestamp}{token}", "`signature`",
        DEFAULT_TOLERANCE_S, covers_body=False,
    ),
    "intercom": _hmac(header="X-Hub-Signature", prefix="sha1=", hash="sha1"),
    "typeform": _hmac(header="Typeform-Signature", prefix="sha256=", encoding="base64"),
    "vercel": _hmac(header="X-Vercel-Signature", hash="sha1"),
    "meta": _hmac(header="X-Hub-Signature-256", prefix="sha256="),
    "timestamped": _hmac(**TIMESTAMPED),
    "hmac": replace(
        _hmac(), form="as you say", signature="HMAC, hash and encoding as you say",
        signed="a template of {body}, {timestamp}, {url} and {method}", tolerance_s=DEFAULT_TOLERANCE_S,
    ),
}  # fmt: skip
