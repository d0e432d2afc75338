"""TrueLayer: a detached JWS with ES512 over method, path, some headers and the body, in `Tl-Signature`.

The keys stand at an address that the JWS names, believed only where it is TrueLayer's own and one that we
listen to. Host and query are not signed, and all customers' webhooks are signed with the same keys: only the
path tells ours from another customer's, so it should be one that cannot be guessed. Needs the `crypto` extra.
Source: TrueLayer/truelayer-signing, request-signing-v2.md.
"""

import json
import re
import time
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union

from hookvitals.key_fetch import HttpsFetch, KeyUnavailable
from hookvitals.keyring import Keyring
from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    UNKNOWN_KEY,
    VerificationError,
)
from hookvitals.schemes.hmac_scheme import secret_bytes
from hookvitals.schemes.jose import encoded, json_part, jwk_key, signature_part
from hookvitals.schemes.public_keys import PublicKey, need_crypto
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import (
    DEFAULT_TOLERANCE_S,
    HeaderItems,
    Verified,
    bounded,
    instant,
    only,
    text_bytes,
    within,
)

KEY_ADDRESSES = (
    "https://webhooks.truelayer.com/.well-known/jwks",
    "https://webhooks.truelayer-sandbox.com/.well-known/jwks",
)
_HEADER, _TIME = "Tl-Signature", "x-tl-webhook-timestamp"
_CURVE = "P-521"
_JWS = re.compile(r"([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]{176})\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}\Z", re.ASCII)
_PATH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#\s]*)", re.ASCII)

Keys = Dict[str, PublicKey]


@dataclass(frozen=True)
class TrueLayerScheme(Sender):
    """secrets: the addresses of the keys that we listen to: production's, the sandbox's, or both.

    fetch: gives the JWKS of an address, in place of asking TrueLayer. monotonic: the clock of what is kept.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    tolerance_s: float = DEFAULT_TOLERANCE_S
    fetch: Optional[Callable[[str], bytes]] = field(default=None, repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    _ours: Tuple[str, ...] = field(default=(), init=False, repr=False)
    _ring: Keyring[Keys] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        need_crypto("TrueLayer's ECDSA signature")
        ours = tuple(secret_bytes(each).decode("utf-8", "replace") for each in self.secrets)
        if not ours or not set(ours) <= set(KEY_ADDRESSES):
            raise ValueError(f"the address of TrueLayer's keys is needed: {' or '.join(KEY_ADDRESSES)}")
        fetch = self.fetch or HttpsFetch("|".join(map(re.escape, ours)))
        object.__setattr__(self, "_ours", ours)
        ring = Keyring(fetch, _keys, lifetime_s=3600.0, monotonic=self.monotonic)
        object.__setattr__(self, "_ring", ring)

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless TrueLayer signed this body for this path."""
        found = _JWS.match(only(headers, _HEADER))
        if found is None:
            raise VerificationError(MALFORMED_SIGNATURE, f"{_HEADER} is not a detached JWS of 132 bytes")
        head, key_id, address, names = _head(found.group(1))
        if address not in self._ours:
            raise VerificationError(UNKNOWN_KEY, "the address of the keys is none that we listen to")
        signed = _signed_headers(headers, names)
        signed_at = instant(signed[_TIME][1], "iso")
        key, given = self._key(address, key_id), signature_part(found.group(2))
        lines = "".join(f"{name}: {value}\n" for name, value in signed.values())
        for path in _paths(url):
            payload = text_bytes(f"{method} {path}\n{lines}") + body
            if key.holds(given, head + b"." + encoded(payload)):
                return Verified(key.id, within(signed_at, now, self.tolerance_s))
        raise VerificationError(BAD_SIGNATURE, "TrueLayer's key did not make this signature for this path")

    def _key(self, address: str, key_id: str) -> PublicKey:
        try:
            keys = self._ring.get(address)
        except KeyUnavailable as exc:
            raise VerificationError(UNKNOWN_KEY, str(exc)) from exc
        if key_id not in keys:
            self._ring.renew(address)  # they may have changed; TrueLayer tries again
            raise VerificationError(UNKNOWN_KEY, "TrueLayer publishes no key of this id")
        return keys[key_id]


def _head(text: str) -> Tuple[bytes, str, str, str]:
    """(what is signed of it, key id, address of the keys, names of the signed headers)."""
    head = json_part(text)
    named = head.get("kid"), head.get("jku"), head.get("tl_headers")
    if head.get("alg") != "ES512" or head.get("tl_version") != "2":
        raise VerificationError(MALFORMED_SIGNATURE, "the JWS is not of ES512 in TrueLayer's version 2")
    if not all(isinstance(each, str) for each in named):
        raise VerificationError(MALFORMED_SIGNATURE, "the JWS does not name key, address and headers")
    key_id, address, names = map(str, named)
    return text.encode("ascii"), key_id, address, names


def _signed_headers(headers: HeaderItems, names: str) -> Dict[str, Tuple[str, str]]:
    """(name as it was signed, value) by lower-case name, in their order; the time is one of them.

    A value that breaks the line could take what is the body's for its own.
    """
    found: Dict[str, Tuple[str, str]] = {}
    for name in bounded(names.split(","), "signed headers"):
        if not _NAME.match(name) or name.lower() in found:
            raise VerificationError(MALFORMED_SIGNATURE, "the names of the signed headers cannot be read")
        value = only(headers, name)
        if not value.isprintable():
            raise VerificationError(MALFORMED_SIGNATURE, f"the {name} header is not of one line")
        found[name.lower()] = name, value
    if _TIME not in found:
        raise VerificationError(MALFORMED_SIGNATURE, f"{_TIME} is not signed")
    return found


def _paths(url: str) -> List[str]:
    """The URL's path, and the same with or without a slash at its end, which proxies add and drop."""
    found = _PATH.match(url)
    if found is None:
        return []
    path = found.group(1)
    return [path, path[:-1] if path.endswith("/") else f"{path}/"]


def _keys(answer: bytes) -> Keys:
    """By their ids; those on other curves are for other uses. Raises ValueError."""
    try:
        listed = json.loads(answer)["keys"]
        return {str(each["kid"]): jwk_key(each, _CURVE) for each in listed if each.get("crv") == _CURVE}
    except (TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise ValueError("TrueLayer's answer holds no keys") from exc
