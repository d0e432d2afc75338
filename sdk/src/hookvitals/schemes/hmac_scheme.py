"""HMAC over the body, or over a template of body, time, URL and method: most providers."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from hookvitals.schemes.header_scheme import HeaderScheme
from hookvitals.schemes.signed import same, secret_id

_SIZES: Dict[str, int] = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}

TIMESTAMPED: Dict[str, Any] = {
    "header": "Stripe-Signature",
    "separator": ",",
    "timestamp_prefix": "t=",
    "prefix": "v1=",
    "template": "{timestamp}.{body}",
}
"""Stripe's form: `t=<seconds>,v1=<hex>[,v1=<hex>…]` in one header; the secret is text."""


def secret_bytes(secret: Union[str, bytes], encoding: str = "text") -> bytes:
    """A shared secret as the bytes that key the HMAC. Raises ValueError when it is empty or cannot be one."""
    raw = secret.encode() if isinstance(secret, str) else bytes(secret)
    if not raw.strip():
        raise ValueError("an empty secret would let anybody sign; give the provider's signing secret")
    if encoding == "text":
        return raw
    try:
        text = raw.strip().decode("ascii")
        raw = bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError(f"the secret is not {encoding}") from None  # the cause would carry it
    if not raw:
        raise ValueError("an empty secret would let anybody sign; give the provider's signing secret")
    return raw


def hmac_keys(secrets: Sequence[Union[str, bytes]], encoding: str) -> Tuple[Tuple[str, bytes], ...]:
    """(id, key) of each secret. Raises ValueError without one."""
    keys = tuple(secret_bytes(secret, encoding) for secret in secrets)
    if not keys:
        raise ValueError("at least one secret is needed")
    return tuple((secret_id(key), key) for key in keys)


@dataclass(frozen=True)
class HmacScheme(HeaderScheme):
    """hash: sha1 only for providers that have nothing better. key_encoding: how the secret is written.

    construction: `hmac`, or `prefix` for a plain hash over the secret followed by the content (HubSpot's old
    versions).
    """

    hash: str = "sha256"
    key_encoding: str = "text"
    construction: str = "hmac"
    _keys: Tuple[Tuple[str, bytes], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hash not in _SIZES:
            raise ValueError(f"unknown hash {self.hash!r}; use one of {', '.join(sorted(_SIZES))}")
        if self.key_encoding not in ("text", "hex", "base64"):
            raise ValueError(f"unknown key_encoding {self.key_encoding!r}; use text, hex or base64")
        if self.construction not in ("hmac", "prefix"):
            raise ValueError(f"construction is hmac or prefix, not {self.construction!r}")
        object.__setattr__(self, "_keys", hmac_keys(self.secrets, self.key_encoding))

    def _matched(self, content: bytes, given: List[bytes]) -> Optional[str]:
        for name, key in self._keys:
            mac = self._mac(key, content)
            if any(same(mac, one) for one in given):
                return name
        return None

    def _made(self, content: bytes) -> bytes:
        return self._mac(self._keys[0][1], content)

    def _length(self) -> Optional[int]:
        return _SIZES[self.hash]

    def _mac(self, key: bytes, content: bytes) -> bytes:
        if self.construction == "prefix":
            return hashlib.new(self.hash, key + content).digest()
        return hmac.digest(key, content, self.hash)
