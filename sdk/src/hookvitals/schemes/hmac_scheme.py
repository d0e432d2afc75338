"""HMAC over the body, or over a template of timestamp and body: HopNow, `t=,v1=` headers, and whatever a
provider made of the same parts. One table of settings, no subclass per provider.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from hookvitals.schemes.errors import BAD_SIGNATURE, MALFORMED_SIGNATURE, VerificationError
from hookvitals.schemes.signed import (
    DEFAULT_TOLERANCE_S,
    HeaderItems,
    Verified,
    bounded,
    from_base64,
    from_hex,
    only,
    same,
    seconds,
    secret_id,
    within,
)

_HASHES: Dict[str, Callable[..., Any]] = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}


def secret_bytes(secret: Union[str, bytes]) -> bytes:
    """A shared secret as the bytes that key the HMAC. Raises ValueError when it is empty."""
    raw = secret.encode() if isinstance(secret, str) else bytes(secret)
    if not raw.strip():
        raise ValueError("an empty secret would let anybody sign; give the provider's signing secret")
    return raw


@dataclass(frozen=True)
class HmacScheme:
    """The signature of a template in one header.

    template: `{body}`, `{timestamp}` stand for the raw body and the literal timestamp.
    prefix: text before the signature; with `prefix_optional` it may be missing.
    timestamp_header: where the signed time stands when it has a header of its own.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header: str = "X-Webhook-Signature"
    prefix: str = ""
    prefix_optional: bool = False
    hash: str = "sha256"
    encoding: str = "hex"
    template: str = "{body}"
    timestamp_header: Optional[str] = None
    tolerance_s: float = DEFAULT_TOLERANCE_S
    _keys: Tuple[bytes, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.hash not in _HASHES:
            raise ValueError(f"unknown hash {self.hash!r}; use one of {', '.join(sorted(_HASHES))}")
        if self.encoding not in ("hex", "base64"):
            raise ValueError(f"unknown encoding {self.encoding!r}; use hex or base64")
        if "{body}" not in self.template:
            raise ValueError("the signed template must contain {body}")
        if ("{timestamp}" in self.template) != bool(self.timestamp_header):
            raise ValueError("a template with {timestamp} needs timestamp_header, and the other way round")
        keys = tuple(secret_bytes(secret) for secret in self.secrets)
        if not keys:
            raise ValueError("at least one secret is needed")
        object.__setattr__(self, "_keys", keys)

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the secrets signed this body."""
        text = only(headers, self.header)
        if self.prefix and text.startswith(self.prefix):
            text = text[len(self.prefix) :]
        elif self.prefix and not self.prefix_optional:
            raise VerificationError(MALFORMED_SIGNATURE, f"{self.header} does not start with {self.prefix}")
        given = self._decoded(text)
        stamp: str = ""
        signed_at: Optional[float] = None
        if self.timestamp_header:
            stamp = only(headers, self.timestamp_header)
            signed_at = seconds(stamp)
        content = self._content(stamp, body)
        for key in self._keys:
            if same(self._mac(key, content), given):
                if signed_at is not None:
                    within(signed_at, now, self.tolerance_s)
                return Verified(secret_id(key), signed_at)
        raise VerificationError(BAD_SIGNATURE, "no configured secret made this signature")

    def sign(self, body: bytes, now: float) -> List[Tuple[str, str]]:
        """The headers a provider would send, made with the first secret."""
        stamp = str(int(now))
        mac = self._mac(self._keys[0], self._content(stamp, body))
        text = mac.hex() if self.encoding == "hex" else base64.b64encode(mac).decode()
        headers = [(self.header, self.prefix + text)]
        if self.timestamp_header:
            headers.append((self.timestamp_header, stamp))
        return headers

    def _decoded(self, text: str) -> bytes:
        given = from_hex(text, self.header) if self.encoding == "hex" else from_base64(text, self.header)
        if len(given) != _HASHES[self.hash]().digest_size:
            raise VerificationError(MALFORMED_SIGNATURE, f"{self.header} has the wrong length")
        return given

    def _content(self, stamp: str, body: bytes) -> bytes:
        before, after = self.template.split("{body}", 1)
        fill = (before.replace("{timestamp}", stamp).encode(), after.replace("{timestamp}", stamp).encode())
        return fill[0] + body + fill[1]

    def _mac(self, key: bytes, content: bytes) -> bytes:
        return hmac.new(key, content, _HASHES[self.hash]).digest()


@dataclass(frozen=True)
class TimestampedScheme:
    """`t=<seconds>,v1=<hex>[,v1=<hex>…]` in one header; signed is `<seconds>.<body>`; the secret is text."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header: str = "Stripe-Signature"
    tolerance_s: float = DEFAULT_TOLERANCE_S
    _keys: Tuple[bytes, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        keys = tuple(secret_bytes(secret) for secret in self.secrets)
        if not keys:
            raise ValueError("at least one secret is needed")
        object.__setattr__(self, "_keys", keys)

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the secrets made one of the v1 signatures."""
        stamp, given = self._parts(only(headers, self.header))
        signed_at = seconds(stamp)
        content = stamp.encode() + b"." + body
        for key in self._keys:
            mac = hmac.new(key, content, hashlib.sha256).digest()
            if any(same(mac, one) for one in given):
                return Verified(secret_id(key), within(signed_at, now, self.tolerance_s))
        raise VerificationError(BAD_SIGNATURE, "no configured secret made this signature")

    def sign(self, body: bytes, now: float) -> List[Tuple[str, str]]:
        """The header a provider would send, made with the first secret."""
        stamp = str(int(now))
        mac = hmac.new(self._keys[0], stamp.encode() + b"." + body, hashlib.sha256)
        return [(self.header, f"t={stamp},v1={mac.hexdigest()}")]

    def _parts(self, text: str) -> Tuple[str, List[bytes]]:
        stamps, given = [], []
        for part in bounded(text.split(","), "parts"):
            name, _, value = part.strip().partition("=")
            if name == "t":
                stamps.append(value)
            elif name == "v1":
                given.append(from_hex(value, self.header))
        if len(stamps) != 1 or not given:
            raise VerificationError(MALFORMED_SIGNATURE, f"{self.header} is not t=<seconds>,v1=<hex>")
        return stamps[0], given
