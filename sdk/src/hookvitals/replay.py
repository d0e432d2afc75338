"""Recognising what is ours: a replay, a dead letter sent again by the monitor, and a canary, a request that
only asks whether the way is open. Both are signed with the endpoint's replay secret.

The signature is Standard Webhooks v1 over item id, timestamp and body, whatever the source's own scheme:
nobody but Orum can sign like Orum. A canary's id is signed with a prefix, so that neither passes for the
other. Without a valid signature the headers mean nothing.
"""

from typing import List, Optional, Tuple

from hookvitals.schemes import HeaderItems, standard_key, standard_signature
from hookvitals.schemes.errors import VerificationError
from hookvitals.schemes.signed import DEFAULT_TOLERANCE_S, bounded, only, same, seconds, within

ITEM, CANARY = "Hookvitals-Replay", "Hookvitals-Canary"
TIMESTAMP, SIGNATURE = "Hookvitals-Timestamp", "Hookvitals-Signature"
_CANARY_PREFIX = "canary:"
_MAX_ITEM_CHARS = 64


def replay_item(headers: HeaderItems, body: bytes, secret: Optional[str], now: float) -> Optional[str]:
    """The replay item's id when the request is one of ours and signed now; None otherwise."""
    return _signed(ITEM, "", headers, body, secret, now)


def canary_id(headers: HeaderItems, body: bytes, secret: Optional[str], now: float) -> Optional[str]:
    """The canary's id when the request is one of ours and signed now; None otherwise."""
    return _signed(CANARY, _CANARY_PREFIX, headers, body, secret, now)


def replay_headers(item: str, body: bytes, secret: str, now: float) -> List[Tuple[str, str]]:
    """The three headers that make a request a replay. secret: `whsec_…` or base64. Raises ValueError."""
    return _headers(ITEM, "", item, body, secret, now)


def canary_headers(canary: str, body: bytes, secret: str, now: float) -> List[Tuple[str, str]]:
    """The three headers that make a request a canary. canary: its id, at most 64 characters.

    Raises ValueError.
    """
    return _headers(CANARY, _CANARY_PREFIX, canary, body, secret, now)


def _headers(
    header: str, prefix: str, item: str, body: bytes, secret: str, now: float
) -> List[Tuple[str, str]]:
    stamp = str(int(now))
    signature = standard_signature(standard_key(secret), prefix + item, stamp, body)
    return [(header, item), (TIMESTAMP, stamp), (SIGNATURE, signature)]


def _signed(
    header: str, prefix: str, headers: HeaderItems, body: bytes, secret: Optional[str], now: float
) -> Optional[str]:
    """The header's value, signed with this prefix."""
    wanted = header.lower()
    if not secret or not any(name == wanted for name, _ in headers):
        return None
    try:
        item = only(headers, header)
        stamp = only(headers, TIMESTAMP)
        within(seconds(stamp), now, DEFAULT_TOLERANCE_S)
        expected = standard_signature(standard_key(secret), prefix + item, stamp, body).encode()
        given = bounded(only(headers, SIGNATURE).split(), "signatures")
        if any(same(expected, one.encode("utf-8", "replace")) for one in given):
            no_item = len(item) > _MAX_ITEM_CHARS or (not prefix and item.startswith(_CANARY_PREFIX))
            return None if no_item else item
    except (VerificationError, ValueError):
        return None
    return None
