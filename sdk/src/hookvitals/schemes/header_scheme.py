"""A signature in a header, read by settings: where it stands, where its time stands, what was signed.

What differs between kinds of key (HMAC, public keys) is left to the subclass: `_matched`, `_made`, and the
length of a signature. A provider is a row of settings, not a class.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple, Union
from urllib.parse import unquote

from hookvitals.schemes.errors import BAD_SIGNATURE, MALFORMED_SIGNATURE, VerificationError
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import (
    DEFAULT_TOLERANCE_S,
    UNITS,
    HeaderItems,
    Verified,
    bounded,
    from_base64,
    from_hex,
    instant,
    only,
    stamp_of,
    text_bytes,
    within,
)

_PLACE = re.compile(r"\{(\w+)\}", re.ASCII)
_PLACES = ("body", "timestamp", "url", "method")
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}", re.ASCII)


@dataclass(frozen=True)
class HeaderScheme(Sender):
    """header: holds the signature; `prefix` stands before it and, with `prefix_optional`, may be missing.

    separator: with one, the header holds several signatures. timestamp_prefix: makes the header a list of
    named parts; those that start with `prefix` are signatures, the one with `timestamp_prefix` is the time,
    others are versions we do not know, and skipped.
    encoding: of a signature, hex or base64. template: what is signed; {body}, {timestamp}, {url} and {method}
    stand for the raw body, the literal time, and the request line as the sender used it.
    timestamp_header: where the time stands if it has a header of its own. timestamp_field: the field of the
    signed JSON body that holds it. timestamp_unit: s, ms or iso.
    url_decoded: characters that stand decoded in the signed URL.
    tolerance_s: how far the signed time may lie from now, on either side.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header: str = "X-Webhook-Signature"
    prefix: str = ""
    prefix_optional: bool = False
    separator: str = ""
    encoding: str = "hex"
    template: str = "{body}"
    timestamp_header: Optional[str] = None
    timestamp_prefix: str = ""
    timestamp_field: str = ""
    timestamp_unit: str = "s"
    url_decoded: str = ""
    tolerance_s: float = DEFAULT_TOLERANCE_S
    _pieces: Tuple[Tuple[bytes, str], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.encoding not in ("hex", "base64"):
            raise ValueError(f"unknown encoding {self.encoding!r}; use hex or base64")
        if self.timestamp_unit not in UNITS:
            raise ValueError(f"unknown timestamp_unit {self.timestamp_unit!r}; use {', '.join(UNITS)}")
        places = _PLACE.findall(self.template)
        unknown = sorted(set(places) - set(_PLACES))
        if unknown:
            raise ValueError(f"the template has {{{unknown[0]}}}; known are {', '.join(_PLACES)}")
        if "body" not in places:
            raise ValueError("the signed template must contain {body}")
        if ("timestamp" in places) != bool(self.timestamp_header or self.timestamp_prefix):
            raise ValueError(
                "a template with {timestamp} needs timestamp_header or timestamp_prefix, and these need it"
            )
        if self.timestamp_prefix and not (self.prefix and self.separator):
            raise ValueError("a header of parts needs prefix and separator, too")
        texts = _PLACE.split(self.template)
        pieces = tuple((text.encode(), name) for text, name in zip(texts[::2], [*texts[1::2], ""]))
        object.__setattr__(self, "_pieces", pieces)

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the secrets signed this request."""
        given, stamp = self._read(headers)
        signed_at = instant(stamp, self.timestamp_unit) if stamp else None
        for content in self._contents(stamp, body, url, method):
            found = self._matched(content, given)
            if found is not None:
                if self.timestamp_field:
                    signed_at = self._time_in(body)
                if signed_at is not None:
                    within(signed_at, now, self.tolerance_s)
                return Verified(found, signed_at)
        raise VerificationError(BAD_SIGNATURE, "no configured secret made this signature")

    def completed(self, body: bytes, now: float) -> bytes:
        """With its time, where that is a field of the body."""
        if not self.timestamp_field:
            return body
        stamp = stamp_of(now, self.timestamp_unit)
        try:
            timed = {**json.loads(body), self.timestamp_field: int(stamp) if stamp.isdigit() else stamp}
        except (ValueError, TypeError, RecursionError) as exc:
            raise ValueError(f"this body is no JSON object with a place for {self.timestamp_field}") from exc
        return json.dumps(timed).encode()

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The headers a provider would send. message_id: not signed, left out."""
        timed = self.timestamp_header or self.timestamp_prefix
        stamp = stamp_of(now, self.timestamp_unit) if timed else ""
        made = self._made(self._contents(stamp, body, url, method)[0])
        text = self.prefix + (made.hex() if self.encoding == "hex" else base64.b64encode(made).decode())
        if self.timestamp_prefix:
            return [(self.header, f"{self.timestamp_prefix}{stamp}{self.separator}{text}")]
        return [(self.header, text), *([(self.timestamp_header, stamp)] if self.timestamp_header else [])]

    def _matched(self, content: bytes, given: List[bytes]) -> Optional[str]:
        """The id of the secret that made one of these signatures of the content."""
        raise NotImplementedError

    def _made(self, content: bytes) -> bytes:
        """A signature of the content."""
        raise NotImplementedError

    def _length(self) -> Optional[int]:
        """Bytes of a signature; None where it varies."""
        return None

    def _contents(self, stamp: str, body: bytes, url: str, method: str) -> Sequence[bytes]:
        """What may have been signed."""
        if self.template == "{body}":
            return (body,)
        if self.url_decoded:
            url = _ESCAPED.sub(self._decoded_character, url)
        values: Dict[str, bytes] = {
            "body": body,
            "timestamp": text_bytes(stamp),
            "url": text_bytes(url),
            "method": text_bytes(method),
            "": b"",
        }
        return (b"".join(part for text, name in self._pieces for part in (text, values[name])),)

    def _decoded_character(self, found: "re.Match[str]") -> str:
        character = unquote(found.group(), "latin-1")
        return character if character in self.url_decoded else found.group()

    def _read(self, headers: HeaderItems) -> Tuple[List[bytes], str]:
        """(signatures, the time's text or nothing)."""
        text = only(headers, self.header)
        if self.timestamp_prefix:
            return self._parts(text)
        if text.startswith(self.prefix):
            text = text[len(self.prefix) :]
        elif not self.prefix_optional:
            raise VerificationError(MALFORMED_SIGNATURE, f"{self.header} does not start with {self.prefix}")
        texts = bounded(text.split(self.separator), "signatures") if self.separator else [text]
        given = [self._decoded(one) for one in texts]
        return given, only(headers, self.timestamp_header) if self.timestamp_header else ""

    def _parts(self, text: str) -> Tuple[List[bytes], str]:
        stamps, given = [], []
        for part in bounded(text.split(self.separator), "parts"):
            part = part.strip()
            if part.startswith(self.timestamp_prefix):
                stamps.append(part[len(self.timestamp_prefix) :])
            elif part.startswith(self.prefix):
                given.append(self._decoded(part[len(self.prefix) :]))
        if len(stamps) != 1 or not stamps[0] or not given:
            raise VerificationError(
                MALFORMED_SIGNATURE,
                f"{self.header} is not {self.timestamp_prefix}…{self.separator}{self.prefix}…",
            )
        return given, stamps[0]

    def _decoded(self, text: str) -> bytes:
        given = from_hex(text, self.header) if self.encoding == "hex" else from_base64(text, self.header)
        length = self._length()
        if length is not None and len(given) != length:
            raise VerificationError(MALFORMED_SIGNATURE, f"{self.header} has the wrong length")
        return given

    def _time_in(self, body: bytes) -> float:
        """Of the body, once its signature holds."""
        try:
            found = json.loads(body)[self.timestamp_field]
        except (ValueError, TypeError, KeyError, RecursionError):
            found = None
        if isinstance(found, bool) or not isinstance(found, (int, str)):
            raise VerificationError(MALFORMED_SIGNATURE, f"the body has no {self.timestamp_field}")
        return instant(str(found), self.timestamp_unit)
