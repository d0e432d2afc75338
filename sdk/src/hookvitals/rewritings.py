"""What may have happened to a request on its way, played backwards: other bodies, other spellings of a
signature. Pure; says nothing about which of them is right.
"""

import base64
import json
import re
import zlib
from functools import partial
from itertools import product
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple
from urllib.parse import urlsplit, urlunsplit

from hookvitals.causes import Cause
from hookvitals.schemes.signed import HeaderItems

RESERIALISE_BYTES = 64 * 1024
WRITTEN_BYTES = 48 * 1024
"""How much JSON one search writes: all its ways at 2 KB; two at least, which is what 20 KB get."""
_INFLATED_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_COMPACT, _SPACED = (",", ":"), (", ", ": ")

_PARTS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}\[\],:]+|[{}\[\],:]')
_SIGNATURE_NAME = re.compile("sig|hmac|sha1|sha256|digest")
_MAC = re.compile(
    r"(?<![A-Za-z0-9+/])"
    r"(?P<prefix>(?:(?:hmac-?)?sha-?(?:1|256|384|512)|v\d{1,2}a?|h\d|s|sig|signature)[=,:])?"
    r"(?:(?P<hex>[0-9A-Fa-f]{128}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40})"
    r"|(?P<base64>[A-Za-z0-9+/_-]{86}(?:==)?|[A-Za-z0-9+/_-]{64}|[A-Za-z0-9+/_-]{43}=?|[A-Za-z0-9+/_-]{27}=?))"
    r"(?![A-Za-z0-9+/=_-])",
    re.ASCII,
)
_PREFIXES = ("", "sha256=", "v1=", "v1,", "v0=", "sha1=")
_HEADER_CHARS, _HEADERS = 1024, 4

Body = Tuple[Cause, bytes]


def bodies(headers: HeaderItems, body: bytes) -> Iterator[Body]:
    """(cause, the body before it), the likeliest and cheapest first; none of them `body`, none twice."""
    seen = {body}
    for found in (_inflated, _trimmed, _line_endings, _marked, _recoded, _reserialised):
        for cause, candidate in found(body):
            if candidate not in seen:
                seen.add(candidate)
                yield cause, candidate


def spellings(headers: HeaderItems, own_header: str, own_prefix: str) -> Iterator[Tuple[Cause, HeaderItems]]:
    """(cause, headers) with a signature written otherwise: hex or base64, with another prefix or none."""
    looked_at = 0
    for place, (name, value) in enumerate(headers):
        if not (_SIGNATURE_NAME.search(name) or name == own_header) or len(value) > _HEADER_CHARS:
            continue
        match = _MAC.search(value)
        looked_at += 1
        if match is None or looked_at > _HEADERS:
            continue
        for cause, text in _spelled(match, own_prefix):
            changed = value[: match.start()] + text + value[match.end() :]
            yield cause, [*headers[:place], (name, changed), *headers[place + 1 :]]


def other_urls(headers: HeaderItems, url: str) -> Iterator[str]:
    """The addresses under which a sender may know this endpoint, behind proxies; none of them `url`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return
    given = dict(headers)
    forwarded = given.get("x-forwarded-host", "").split(",")[0].strip()
    hosts = [parts.netloc, host, given.get("host", ""), forwarded, f"{host}:443"]
    paths = [parts.path, parts.path[:-1] if parts.path.endswith("/") else parts.path + "/"]
    seen = {url}
    for one, path, query, scheme in product(hosts, paths, (parts.query, ""), ("https", "http")):
        candidate = urlunsplit((scheme, one, path, query, ""))
        if one and candidate not in seen:
            seen.add(candidate)
            yield candidate


def _spelled(match: "re.Match[str]", own_prefix: str) -> Iterator[Tuple[Cause, str]]:
    given, prefix = match["hex"] or match["base64"], match["prefix"] or ""
    other = _other_encoding(match)
    yield Cause.SIGNATURE_ENCODING, prefix + other
    prefixes = [one for one in dict.fromkeys((own_prefix, *_PREFIXES)) if one != prefix]
    for one in prefixes:
        yield Cause.SIGNATURE_PREFIX, one + given
    for one in prefixes:
        yield Cause.SIGNATURE_ENCODING, one + other


def _other_encoding(match: "re.Match[str]") -> str:
    if match["hex"]:
        return base64.b64encode(bytes.fromhex(match["hex"])).decode()
    text = match["base64"].replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4)).hex()


# --- bodies ---


def _inflated(body: bytes) -> Iterator[Body]:
    if body[:2] != b"\x1f\x8b" and body[:1] != b"\x78":  # gzip, or zlib's deflate
        return
    inflater = zlib.decompressobj(47)  # either of them
    try:
        plain = inflater.decompress(body, _INFLATED_BYTES)
    except zlib.error:
        return
    if inflater.eof:  # all of it; never more than a bounded bite of a bomb
        yield Cause.BODY_COMPRESSED, plain


def _trimmed(body: bytes) -> Iterator[Body]:
    for candidate in (body.rstrip(b"\r\n"), body.strip(), body + b"\n", body + b"\r\n"):
        yield Cause.BODY_TRAILING_NEWLINE, candidate


def _line_endings(body: bytes) -> Iterator[Body]:
    if b"\r" in body:
        yield Cause.BODY_LINE_ENDINGS, body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    elif b"\n" in body:
        yield Cause.BODY_LINE_ENDINGS, body.replace(b"\n", b"\r\n")


def _marked(body: bytes) -> Iterator[Body]:
    yield Cause.BODY_BOM, body[len(_BOM) :] if body.startswith(_BOM) else _BOM + body


def _recoded(body: bytes) -> Iterator[Body]:
    if body.isascii() and b"\0" not in body:
        return
    wide = ("utf-16",) if b"\0" in body else ()
    pairs = [("utf-8", "latin-1"), ("utf-8", "cp1252"), ("latin-1", "utf-8"), ("cp1252", "utf-8")]
    for came, signed in [*((one, "utf-8") for one in wide), *pairs]:
        try:
            yield Cause.BODY_CHARSET, body.decode(came).encode(signed)
        except UnicodeError:
            continue


def _reserialised(body: bytes) -> Iterator[Body]:
    if len(body) > RESERIALISE_BYTES:
        return
    odd: List[str] = []
    try:
        text = body.decode("utf-8")
        data = json.loads(text, parse_float=lambda literal: _number(literal, odd))
    except (ValueError, RecursionError):
        return
    for candidate in _forms(text, data, bool(odd)):
        yield Cause.BODY_RESERIALISED, candidate


def _number(literal: str, odd: List[str]) -> float:
    """The number; `odd` gets a literal that Python would not write so."""
    value = float(literal)
    if repr(value) != literal:
        odd.append(literal)
    return value


def _forms(text: str, data: Any, odd: bool) -> Iterator[bytes]:
    """The JSON as programs write it, the common ways first and as many as may be written.

    odd: it has numbers that must stay as they are.
    """
    left = max(WRITTEN_BYTES, 2 * len(text))
    for cost, write in _ways(text, data, odd):
        if cost * len(text) <= left:
            left -= cost * len(text)
            yield from (written.encode("utf-8", "surrogatepass") for written in write())


def _ways(text: str, data: Any, odd: bool) -> Iterator[Tuple[int, Callable[[], Iterator[str]]]]:
    """(cost, way to write it). cost: in times that the C encoder takes."""

    def dumped(separators: Tuple[str, str], ascii_only: bool, sort: bool = False) -> Iterator[str]:
        written = json.dumps(data, separators=separators, ensure_ascii=ascii_only, sort_keys=sort)
        yield written
        if ascii_only and separators is _COMPACT and not sort and "/" in written:
            yield written.replace("/", "\\/")  # as PHP writes it

    def respaced() -> Iterator[str]:
        parts = _PARTS.findall(text)
        yield "".join(parts)
        yield "".join([_WIDE.get(part, part) for part in parts])

    def pretty(indent: str, ascii_only: bool) -> Iterator[str]:
        yield _pretty(_PARTS.findall(text if odd else next(dumped(_COMPACT, ascii_only))), indent)

    if odd:
        yield 3, respaced
    plain = "\\u" not in text and text.isascii()
    # JavaScript, Go and Java; Python; PHP; and the rest
    common = [(_COMPACT, False), (_SPACED, True), (_COMPACT, True), (_SPACED, False)]
    pairs = common[:2] if plain else common
    if plain and "/" in text:
        pairs = [(_COMPACT, True), (_SPACED, True)]
    came = _arrived(text)
    for separators, ascii_only in pairs:
        if (separators, ascii_only) != came or odd:
            yield 1, partial(dumped, separators, ascii_only)
    yield 4, partial(pretty, "  ", False)
    for separators, ascii_only in pairs:
        yield 1, partial(dumped, separators, ascii_only, True)
    yield 4, partial(pretty, "    ", False)
    if not plain:
        yield 4, partial(pretty, "  ", True)
        yield 4, partial(pretty, "    ", True)


_FIRST_KEY = re.compile(r'\{"[^"\\]*":( ?)[^ ]')


def _arrived(text: str) -> Optional[Tuple[Tuple[str, str], bool]]:
    """The way it is written already, by its first key; None where that is none of the common ways."""
    match = _FIRST_KEY.match(text)
    if match is None or "/" in text:  # a slash has two ways
        return None
    return (_SPACED if match[1] else _COMPACT), "\\u" in text and text.isascii()


_WIDE: Dict[str, str] = {",": ", ", ":": ": "}


def _pretty(parts: List[str], indent: str) -> str:
    """A line for each member, as JSON.stringify(x, null, 2) and its kin write."""
    written: List[str] = []
    depth, last = 0, ""
    for part in parts:
        if part in ("}", "]"):
            depth -= 1
            if last not in ("{", "["):
                written.append("\n" + indent * depth)
        elif last in ("{", "[", ","):
            written.append("\n" + indent * depth)
        if part in ("{", "["):
            depth += 1
        written.append(": " if part == ":" else part)
        last = part
    return "".join(written)
