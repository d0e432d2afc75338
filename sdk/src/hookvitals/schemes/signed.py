"""What every scheme reads from a request, strictly: one value per header, literal timestamps.

Nothing here decides whether a signature is right. Whatever the bytes, it raises VerificationError alone.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from hookvitals.event import instant_us
from hookvitals.schemes.errors import (
    MALFORMED_SIGNATURE,
    MISSING_SIGNATURE,
    TIMESTAMP_IN_FUTURE,
    TIMESTAMP_TOO_OLD,
    VerificationError,
)

MAX_HEADER_CHARS = 8 * 1024
MAX_SIGNATURES = 32
DEFAULT_TOLERANCE_S = 300.0
SNS_TOLERANCE_S = 3900.0
"""SNS tries again for an hour at most, under the time of the first attempt; 300 s more for the clocks."""
PAYPAL_TOLERANCE_S = 3 * 86400.0 + 300.0
"""PayPal does so for three days, as receivers report; its documents and libraries ask for no age at all."""
UNITS = ("s", "ms", "iso")
"""How a provider writes a time: seconds or milliseconds since 1970 in plain digits, or ISO 8601."""

_DIGITS = re.compile(r"[0-9]{1,13}\Z", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]+\Z", re.ASCII)

HeaderItems = Sequence[Tuple[str, str]]
HeadersLike = Union[Mapping[str, str], Iterable[Tuple[str, str]]]


@dataclass(frozen=True)
class Verified:
    """A signature that held: which secret made it, and the signed time (seconds since 1970) if any."""

    secret_id: str
    signed_at: Optional[float] = None


def header_items(headers: HeadersLike) -> List[Tuple[str, str]]:
    """(lower-case name, value) in order, duplicates kept."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return [(_text(name).lower(), _text(value)) for name, value in pairs]


def _text(value: object) -> str:
    """Some servers hand headers over as bytes; every byte is a character of latin-1."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def only(headers: HeaderItems, name: str) -> str:
    """The one value of a header. Raises VerificationError when it is missing, doubled or too long."""
    values = [value for found, value in headers if found == name.lower()]
    if not values or not values[0].strip():
        raise VerificationError(MISSING_SIGNATURE, f"there is no {name} header")
    if len(values) > 1:
        raise VerificationError(MALFORMED_SIGNATURE, f"the {name} header is given {len(values)} times")
    if len(values[0]) > MAX_HEADER_CHARS:
        raise VerificationError(MALFORMED_SIGNATURE, f"the {name} header is longer than {MAX_HEADER_CHARS}")
    return values[0].strip()


def seconds(text: str) -> float:
    """A signed time written as plain digits; the text itself is what was signed."""
    if not _DIGITS.match(text):
        raise VerificationError(MALFORMED_SIGNATURE, "the timestamp is not a plain number of seconds")
    return float(int(text))


def instant(text: str, unit: str) -> float:
    """A signed time as seconds since 1970. unit: of UNITS. Raises VerificationError(malformed_signature)."""
    if unit != "iso":
        return seconds(text) / (1000 if unit == "ms" else 1)
    found_us = instant_us(text)
    if found_us is None:
        raise VerificationError(MALFORMED_SIGNATURE, "the timestamp is not an ISO 8601 time")
    return found_us / 1e6


def stamp_of(now: float, unit: str) -> str:
    """A time as such a provider writes it."""
    if unit == "iso":
        return datetime.fromtimestamp(int(now), tz=timezone.utc).isoformat().replace("+00:00", "Z")
    return str(int(now * 1000) if unit == "ms" else int(now))


def text_bytes(text: str) -> bytes:
    """UTF-8 of any text; half a surrogate pair becomes bytes that nobody signs."""
    return text.encode("utf-8", "surrogatepass")


def within(signed_at: float, now: float, tolerance_s: float) -> float:
    """The same time, if it lies within the tolerance of `now` on either side. Asked once the signature
    holds, so that these two reasons are never an attacker's choice."""
    if signed_at < now - tolerance_s:
        raise VerificationError(TIMESTAMP_TOO_OLD, f"signed more than {tolerance_s:.0f} s ago")
    if signed_at > now + tolerance_s:
        raise VerificationError(TIMESTAMP_IN_FUTURE, f"signed more than {tolerance_s:.0f} s ahead")
    return signed_at


def from_base64(text: str, what: str) -> bytes:
    """Decoded when it is written the one way RFC 4648, section 3.5 calls canonical: no other text stands for
    the same signature. Raises VerificationError(malformed_signature)."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise VerificationError(MALFORMED_SIGNATURE, f"the {what} is not base64") from exc
    if base64.b64encode(raw) != text.encode("ascii"):
        raise VerificationError(MALFORMED_SIGNATURE, f"the {what} is not canonical base64")
    return raw


def from_hex(text: str, what: str) -> bytes:
    """Strictly decoded, either case. Raises VerificationError(malformed_signature)."""
    if len(text) % 2 or not _HEX.match(text):
        raise VerificationError(MALFORMED_SIGNATURE, f"the {what} is not hexadecimal")
    return bytes.fromhex(text)


def bounded(parts: List[str], what: str) -> List[str]:
    """The same list. Raises VerificationError when it is longer than any honest sender's."""
    if len(parts) > MAX_SIGNATURES:
        raise VerificationError(MALFORMED_SIGNATURE, f"more than {MAX_SIGNATURES} {what}")
    return parts


def same(one: bytes, other: bytes) -> bool:
    """Equal, in time that does not depend on where they differ."""
    return len(one) == len(other) and hmac.compare_digest(one, other)


def secret_id(secret: bytes) -> str:
    """Eight hex digits that tell one secret from another and lead back to neither."""
    return hmac.new(secret, b"hookvitals secret id", hashlib.sha256).hexdigest()[:8]
