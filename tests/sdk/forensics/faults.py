"""Requests that were signed right and then spoilt, each in one known way, under six providers' schemes."""

import base64
import gzip
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookvitals.forensics import Forensics
from hookvitals.schemes import Scheme, make

NOW = 1_800_000_000.0
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Provider:
    """secrets: current, previous, of another endpoint, of the sandbox, of nobody."""

    name: str
    scheme: str
    settings: Mapping[str, Any]
    other: str
    """Another scheme of the table, as which the same secret may sign."""
    signature: str
    timed: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def made(self, secret: str) -> Scheme:
        return make(self.scheme, [secret], **self.settings)

    def signed(self, body: bytes, secret: str = "", now: float = NOW) -> Headers:
        headers = self.made(secret or self.secrets[0]).sign(body, now)
        return [("content-type", "application/json"), *((name.lower(), value) for name, value in headers)]

    def forensics(self, endpoint: str = "orders", secret: str = "", **more: Any) -> Forensics:
        given = {"previous": [self.secrets[1]], "elsewhere": {"sandbox": [self.secrets[3]]}, **more}
        place = ("production", self.name, endpoint)
        return Forensics(place, self.scheme, self.settings, [secret or self.secrets[0]], **given)


def _texts(name: str) -> tuple[str, ...]:
    return tuple(f"{name} {which} secret, 32 chars" for which in ("now", "old", "other", "sandbox", "stray"))


def _encoded(name: str) -> tuple[str, ...]:
    return tuple("whsec_" + base64.b64encode(text.encode()).decode() for text in _texts(name))


_SLACK = {
    "header": "X-Slack-Signature",
    "prefix": "v0=",
    "template": "v0:{timestamp}:{body}",
    "timestamp_header": "X-Slack-Request-Timestamp",
}
PROVIDERS = [
    Provider("standard", "standard", {}, "svix", "webhook-signature", True, _encoded("standard")),
    Provider("stripe", "timestamped", {}, "hopnow", "stripe-signature", True, _texts("stripe")),
    Provider(
        "github",
        "hmac",
        {"header": "X-Hub-Signature-256", "prefix": "sha256="},
        "timestamped",
        "x-hub-signature-256",
        secrets=_texts("github"),
    ),
    Provider(
        "shopify",
        "hmac",
        {"header": "X-Shopify-Hmac-Sha256", "encoding": "base64"},
        "timestamped",
        "x-shopify-hmac-sha256",
        secrets=_texts("shopify"),
    ),
    Provider("slack", "hmac", _SLACK, "hopnow", "x-slack-signature", True, _texts("slack")),
    Provider("hopnow", "hopnow", {}, "timestamped", "x-webhook-signature", secrets=_texts("hopnow")),
]


@dataclass(frozen=True)
class Spoilt:
    """What reached the receiver, and what it should say of it."""

    headers: Headers
    body: bytes
    cause: str
    secret: str = ""
    """What the receiver has in place of the current secret, if anything."""


Fault = Callable[[Provider, Any, random.Random], Spoilt]


def payload(rng: random.Random) -> dict[str, Any]:
    """An event's JSON with texts of many scripts, floats and nesting. Its keys are not in order."""
    texts = [
        "plain",
        "Zoë",
        "naïve café",
        "Ωmega",
        "日本語",
        "a/b?c=d",
        'quo"te',
        "tab\there",
        "🦊",
        "back\\slash",
    ]

    def value(depth: int) -> Any:
        kind = rng.randrange(8 if depth < 3 else 6)
        if kind == 0:
            return rng.random() * 10 ** rng.randrange(-5, 9)
        if kind == 1:
            return rng.randrange(-(10**9), 10**12)
        if kind < 5:
            return rng.choice(texts) * rng.randrange(1, 4)
        if kind == 5:
            return rng.choice([None, True, False, [], {}, 0.5])
        if kind == 6:
            return [value(depth + 1) for _ in range(rng.randrange(4))]
        return {f"k{rng.randrange(100)}": value(depth + 1) for _ in range(rng.randrange(5))}

    members = {f"m{number}": value(0) for number in range(rng.randrange(3, 14))}
    return {
        "type": "invoice.paid",
        "id": f"evt_{rng.randrange(10**9)}",
        "name": "Zoë",
        **members,
        "amount": 12.5,
    }


def compact(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def previous_secret(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    body = compact(data)
    return Spoilt(provider.signed(body, provider.secrets[1]), body, "previous_secret")


def other_endpoint(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    body = compact(data)
    return Spoilt(
        provider.signed(body, provider.secrets[2]), body, f"other_endpoint: {provider.name}/refunds"
    )


def other_environment(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    body = compact(data)
    return Spoilt(provider.signed(body, provider.secrets[3]), body, "other_environment: sandbox")


def secret_encoding(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    """The receiver has it with a line's end, or, where it is base64, the sender keys with its text."""
    body = compact(data)
    secret = provider.secrets[0]
    if provider.scheme != "standard":
        return Spoilt(provider.signed(body), body, "secret_encoding", secret + "\n")
    as_text = "whsec_" + base64.b64encode(secret.encode()).decode()
    return Spoilt(provider.signed(body, as_text), body, "secret_encoding")


def other_scheme(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    body = compact(data)
    headers = make(provider.other, [provider.secrets[0]]).sign(body, NOW)
    return Spoilt([(name.lower(), value) for name, value in headers], body, "other_scheme: ")


_FORMS: list[dict[str, Any]] = [
    {"separators": separators, "ensure_ascii": ascii_only, "sort_keys": sort}
    for separators in ((",", ":"), (", ", ": "))
    for ascii_only in (False, True)
    for sort in (False, True)
] + [{"indent": 2, "ensure_ascii": False}]


def body_reserialised(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    """Never sorted on the way: what order the sender had cannot be known then."""
    sent = json.dumps(data, **rng.choice(_FORMS))
    came = [json.dumps(json.loads(sent), **form) for form in _FORMS if not form.get("sort_keys")]
    body = rng.choice([text for text in came if text != sent]).encode()
    return Spoilt(provider.signed(sent.encode()), body, "body_reserialised")


def body_charset(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    sent = compact(data)
    narrow = compact({"id": "evt_1", "name": "Zoë", "amount": rng.random()})
    if rng.random() < 0.5:
        return Spoilt(provider.signed(narrow), narrow.decode().encode("latin-1"), "body_charset")
    return Spoilt(provider.signed(sent), sent.decode("latin-1").encode(), "body_charset")


def body_bom(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    plain, marked = compact(data), b"\xef\xbb\xbf" + compact(data)
    sent, came = (plain, marked) if rng.random() < 0.5 else (marked, plain)
    return Spoilt(provider.signed(sent), came, "body_bom")


def body_line_endings(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    unix = json.dumps(data, indent=2).encode()
    dos = unix.replace(b"\n", b"\r\n")
    sent, came = (unix, dos) if rng.random() < 0.5 else (dos, unix)
    return Spoilt(provider.signed(sent), came, "body_line_endings")


def body_trailing_newline(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    bare = compact(data)
    ended = bare + rng.choice([b"\n", b"\r\n"])
    sent, came = (bare, ended) if rng.random() < 0.5 else (ended, bare)
    return Spoilt(provider.signed(sent), came, "body_trailing_newline")


def body_compressed(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    sent = compact(data)
    headers = [*provider.signed(sent), ("content-encoding", "gzip")]
    return Spoilt(headers, gzip.compress(sent, mtime=0), "body_compressed")


def body_decompressed(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    plain = compact(data)
    headers = [*provider.signed(gzip.compress(plain, mtime=0)), ("content-encoding", "gzip")]
    return Spoilt(headers, plain, "body_decompressed")


def body_truncated(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    sent = compact(data)
    headers = [*provider.signed(sent), ("content-length", str(len(sent)))]
    return Spoilt(headers, sent[: rng.randrange(len(sent))], "body_truncated")


def signature_encoding(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    body = compact(data)

    def other(match: re.Match[str]) -> str:
        if re.fullmatch("[0-9a-f]{64}", match[0]):
            return base64.b64encode(bytes.fromhex(match[0])).decode()
        return base64.b64decode(match[0]).hex()

    return Spoilt(_respelt(provider, body, other), body, "signature_encoding")


def signature_prefix(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    """Taken away where there is one, put in front where there is none."""
    body = compact(data)
    headers = []
    for name, value in provider.signed(body):
        bare = re.sub(r"(sha256=|v1=|v0=|v1,)(?=[A-Za-z0-9+/=]+$)", "", value)
        wrong = bare if bare != value and provider.name != "hopnow" else "v1=" + bare
        headers.append((name, wrong if name == provider.signature else value))
    return Spoilt(headers, body, "signature_prefix")


def clock_skew(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    body = compact(data)
    off_s = rng.choice([-1, 1]) * rng.randrange(301, 90_000)
    side = "ahead" if off_s > 0 else "behind"
    return Spoilt(provider.signed(body, now=NOW + off_s), body, f"clock_skew: {abs(off_s)} s {side}")


def tampered(provider: Provider, data: Any, rng: random.Random) -> Spoilt:
    """No fault that is known: somebody changed the amount, or has a secret of his own."""
    body = compact(data)
    if rng.random() < 0.5:
        return Spoilt(provider.signed(body, provider.secrets[4]), body, "unknown")
    return Spoilt(provider.signed(body), compact({**data, "amount": 99.5}), "unknown")


FAULTS: list[Fault] = [
    previous_secret, other_endpoint, other_environment, secret_encoding, other_scheme, body_reserialised,
    body_charset, body_bom, body_line_endings, body_trailing_newline, body_compressed, body_decompressed,
    body_truncated, signature_encoding, signature_prefix, clock_skew, tampered,
]  # fmt: skip


def _respelt(provider: Provider, body: bytes, change: Callable[[re.Match[str]], str]) -> Headers:
    mac = re.compile(r"[0-9a-f]{64}|[A-Za-z0-9+/]{43}=")
    return [
        (name, mac.sub(change, value) if name == provider.signature else value)
        for name, value in provider.signed(body)
    ]
