"""Adyen's standard webhooks: each item of the body carries an HMAC-SHA256 of eight of its own fields.

The rest of the body is not signed, nor is a time: trust the eight fields, deduplicate by them. Platform
webhooks sign the whole body in a header and are `adyen_platform`. Source: docs.adyen.com, HMAC signatures.
"""

import base64
import json
from dataclasses import dataclass, field
from hmac import digest
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from hookvitals.event import found_at
from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    MISSING_SIGNATURE,
    VerificationError,
)
from hookvitals.schemes.hmac_scheme import hmac_keys
from hookvitals.schemes.sender import BodySender, refused_bodies
from hookvitals.schemes.signed import (
    MAX_SIGNATURES,
    HeaderItems,
    Verified,
    from_base64,
    same,
    text_bytes,
)

_SIGNED = (
    "pspReference",
    "originalReference",
    "merchantAccountCode",
    "merchantReference",
    "amount.value",
    "amount.currency",
    "eventCode",
    "success",
)
_MAC_BYTES = 32


@dataclass(frozen=True)
class AdyenScheme(BodySender):
    """secrets: HMAC keys in hexadecimal, as the Customer Area shows them."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    _keys: Tuple[Tuple[str, bytes], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", hmac_keys(self.secrets, "hex"))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless every item is signed with one of the keys."""
        found = [self._matched(item) for item in _items(body)]
        if None in found:
            raise VerificationError(BAD_SIGNATURE, "no configured key signed every item")
        return Verified(str(found[0]))

    def completed(self, body: bytes, now: float) -> bytes:
        """With each item's hmacSignature."""
        with refused_bodies():
            items = _items(body)
            for item in items:
                mac = base64.b64encode(digest(self._keys[0][1], _content(item), "sha256")).decode()
                held = item.get("additionalData")
                item["additionalData"] = {**(held if isinstance(held, dict) else {}), "hmacSignature": mac}
        listed = [{"NotificationRequestItem": item} for item in items]
        return json.dumps({**json.loads(body), "notificationItems": listed}).encode()

    def _matched(self, item: Dict[str, Any]) -> Optional[str]:
        given, content = _signature(item), _content(item)
        for name, key in self._keys:
            if same(digest(key, content, "sha256"), given):
                return name
        return None


def _content(item: Dict[str, Any]) -> bytes:
    return text_bytes(":".join(_text(item, path) for path in _SIGNED))


def _items(body: bytes) -> List[Dict[str, Any]]:
    try:
        listed = json.loads(body)["notificationItems"]
        items = [one["NotificationRequestItem"] for one in listed]
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise VerificationError(MALFORMED_SIGNATURE, "the body has no notificationItems") from exc
    if not 0 < len(items) <= MAX_SIGNATURES or not all(isinstance(item, dict) for item in items):
        raise VerificationError(MALFORMED_SIGNATURE, f"not 1 to {MAX_SIGNATURES} notificationItems")
    return items


def _signature(item: Dict[str, Any]) -> bytes:
    text = found_at("additionalData.hmacSignature", item, ())
    if not text:
        raise VerificationError(MISSING_SIGNATURE, "an item has no hmacSignature")
    given = from_base64(text if isinstance(text, str) else "", "hmacSignature")
    if len(given) != _MAC_BYTES:
        raise VerificationError(MALFORMED_SIGNATURE, "the hmacSignature has the wrong length")
    return given


def _text(item: Dict[str, Any], path: str) -> str:
    """As it stands in what is signed: nothing for what is missing."""
    value = found_at(path, item, ())
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int)):
        raise VerificationError(MALFORMED_SIGNATURE, f"{path} is neither text nor a whole number")
    try:
        return str(value)
    except ValueError as exc:  # more digits than Python writes
        raise VerificationError(MALFORMED_SIGNATURE, f"{path} is no amount") from exc
