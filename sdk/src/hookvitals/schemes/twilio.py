"""Twilio: HMAC-SHA1 over the URL and the sorted form fields; for any other body the URL holds its SHA-256.

Twilio signs the URL with or without the port, so both are tried. Source: twilio.com, security of webhooks,
and the cases of its own libraries.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Dict, List, Sequence, Set
from urllib.parse import parse_qsl

from hookvitals.schemes.errors import BAD_SIGNATURE, MALFORMED_SIGNATURE, VerificationError
from hookvitals.schemes.hmac_scheme import HmacScheme
from hookvitals.schemes.signed import same, text_bytes

_URL = re.compile(
    r"(https?)://([^/?#]*@)?(\[[^\]/?#]*\]|[^/?#:]*)(?::([0-9]{1,5}))?(?=[/?#]|\Z)", re.IGNORECASE
)
_PORTS = {"http": "80", "https": "443"}
_BODY_DIGEST = "bodySHA256"
_MOST_FIELDS = 1000


@dataclass(frozen=True)
class TwilioScheme(HmacScheme):
    """secrets: auth tokens. Needs the URL as Twilio was given it: `public_url` behind a proxy."""

    header: str = "X-Twilio-Signature"
    hash: str = "sha1"
    encoding: str = "base64"

    def _contents(self, stamp: str, body: bytes, url: str, method: str) -> Sequence[bytes]:
        fields = b"" if _names_body(url, body) else _fields(body)
        return [text_bytes(form) + fields for form in url_forms(url)]


def url_forms(url: str) -> List[str]:
    """The URL as it is, then with its port removed or, where it has none, the usual one added."""
    found = _URL.match(url)
    if found is None:
        return [url]
    scheme, user, host, port = found.groups()
    other = host if port else f"{host}:{_PORTS[scheme.lower()]}"
    return [url, f"{scheme}://{user or ''}{other}{url[found.end() :]}"]


def _names_body(url: str, body: bytes) -> bool:
    """Whether the URL holds the body's digest. Raises VerificationError when it is another body's."""
    query = url.partition("?")[2].partition("#")[0]
    told = [value for name, value in _pairs(query) if name == _BODY_DIGEST]
    if not told:
        return False
    if len(told) > 1:
        raise VerificationError(MALFORMED_SIGNATURE, f"the URL has {_BODY_DIGEST} more than once")
    if not same(hashlib.sha256(body).hexdigest().encode(), text_bytes(told[0].lower())):
        raise VerificationError(BAD_SIGNATURE, "the body is not the one that was signed")
    return True


def _fields(body: bytes) -> bytes:
    """Every name with its values, sorted, each value once."""
    values: Dict[str, Set[str]] = {}
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise VerificationError(MALFORMED_SIGNATURE, "the body is not a form") from exc
    for name, value in _pairs(text):
        values.setdefault(name, set()).add(value)
    return text_bytes("".join(name + value for name in sorted(values) for value in sorted(values[name])))


def _pairs(text: str) -> List["tuple[str, str]"]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as exc:
        raise VerificationError(MALFORMED_SIGNATURE, f"more than {_MOST_FIELDS} fields") from exc
