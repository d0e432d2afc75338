"""What may have happened to a request on its way, played backwards: other bodies, other spellings of a
signature. Pure; says nothing about which of them is right.
"""

import base64
import json
import re
import zlib
from itertools import product
from typing import Any, Iterator, List, Tuple
from urllib.parse import urlsplit, urlunsplit

from hookvitals.causes import Cause
from hookvitals.schemes.signed import HeaderItems

RESERIALISE_BYTES = 64 * 1024
WRITTEN_BYTES = 32 * 1024
"""How much JSON one search writes, in bytes of the encoder's: two ways at any size, all at 2 KB."""
_LEAST = 2
_FORM, _RESPACED, _PRETTY, _SORTED = 0.25, 3.0, 5.0, 1.5  # what a byte takes, in times of the encoder's
_INFLATED_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_ITEM, _KEY, _PAIR, _STEP = "\x01", "\x02", "\x03", "\x04"
"""Stand between items, behind keys, for an escaped backslash and for a step of indentation. No JSON has them
bare, so one writing can be put into many forms by replacing, a tenth of what another writing takes."""
_SEPARATORS = {",": _ITEM, ":": _KEY}

_PARTS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}\[\],:]+|[{}\[\],:]')
_RUNS = re.compile(r'(?:"[^"\\]*(?:\\.[^"\\]*)*"|[^"{}\[\]\x01])+|[{}\[\]\x01]')
_ASTRAL = re.compile(rb"\\U([0-9a-f]{8})")
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
    seen = [body]  # compared one by one: most differ in length, and to hash 20 KB takes as long as to sign it
    for found in (_inflated, _trimmed, _line_endings, _marked, _recoded, _reserialised):
        for cause, candidate in found(body):
            if candidate not in seen:
                seen.append(candidate)
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
    try:
        data = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return
    for candidate in _forms(body, data):
        yield Cause.BODY_RESERIALISED, candidate


def _forms(body: bytes, data: Any) -> Iterator[bytes]:
    """The JSON as programs write it, the common ways first and as many as may be written."""
    left = float(WRITTEN_BYTES - len(body))
    written = [_dumped(data)]
    usual = False
    for number, form in enumerate(_spaced(written[0])):
        if number >= _LEAST and _FORM * len(body) > left:
            break
        left -= _FORM * len(body)
        usual = usual or form == body
        yield form
    if not usual and _RESPACED * len(body) <= left:
        left -= _RESPACED * len(body)
        as_it_came = _respaced(body.decode("utf-8"))
        if _in_utf8(as_it_came) not in (_in_utf8(written[0]), _in_ascii(written[0])):
            written.insert(0, as_it_came)  # it has numbers or escapes that may have to stay
            yield from _spaced(as_it_came)
    for one in written:
        if _PRETTY * len(body) <= left:
            left -= _PRETTY * len(body)
            yield from _pretty(one)
    if _SORTED * len(body) <= left:
        yield from _spaced(_dumped(data, sort=True))


def _dumped(data: Any, sort: bool = False) -> str:
    return json.dumps(data, separators=(_ITEM, _KEY), ensure_ascii=False, sort_keys=sort)


def _respaced(text: str) -> str:
    """As `_dumped`, and each name, text and number as it is written here."""
    return "".join([_SEPARATORS.get(part, part) for part in _PARTS.findall(text)])


def _spaced(written: str) -> Iterator[bytes]:
    """As JavaScript, Go and Java separate it; Python; PHP; and the rest."""
    wide, narrow = _in_utf8(written), _in_ascii(written)
    yield _separated(wide, b",", b":")
    yield _separated(narrow, b", ", b": ")
    if narrow != wide or b"/" in narrow:
        compact = _separated(narrow, b",", b":")
        yield compact
        yield compact.replace(b"/", b"\\/")
        yield _separated(wide, b", ", b": ")


def _pretty(written: str) -> Iterator[bytes]:
    """A line for each member, as JSON.stringify(x, null, 2) and its kin write."""
    lines = _lines(written)
    for indent in (b"  ", b"    "):
        for text in dict.fromkeys((_in_utf8(lines), _in_ascii(lines))):
            yield text.replace(_STEP.encode(), indent)


def _lines(written: str) -> str:
    """`written` with a line for each member, and _STEP for each step of its indentation."""
    parts: List[str] = []
    line, opened = "\n", False
    for part in _RUNS.findall(written):
        if part == _ITEM:
            parts.append("," + line)
            continue
        closes = part in ("}", "]")
        if closes:
            line = line[:-1]
        if opened != closes:
            parts.append(line)
        opened = part in ("{", "[")
        if opened:
            line += _STEP
        parts.append(part)
    return "".join(parts).replace(_KEY, ": ")


def _separated(written: bytes, item: bytes, key: bytes) -> bytes:
    return written.replace(_ITEM.encode(), item).replace(_KEY.encode(), key)


def _in_utf8(written: str) -> bytes:
    return written.encode("utf-8", "surrogatepass")


def _in_ascii(written: str) -> bytes:
    """With \\u escapes, as Python and PHP write what is beyond ASCII."""
    if written.isascii():
        escaped = written.encode()
    else:
        escaped = written.replace("\\\\", _PAIR).encode("ascii", "backslashreplace")
        escaped = _ASTRAL.sub(_surrogates, escaped.replace(b"\\x", b"\\u00"))
        escaped = escaped.replace(_PAIR.encode(), b"\\\\")
    return escaped.replace(b"\x7f", b"\\u007f")


def _surrogates(match: "re.Match[bytes]") -> bytes:
    beyond = int(match[1], 16) - 0x10000
    return b"\\u%04x\\u%04x" % (0xD800 + (beyond >> 10), 0xDC00 + (beyond & 0x3FF))
