"""Recognising a replay: a dead letter sent again by the monitor, signed with the endpoint's replay secret.

The signature is Standard Webhooks v1 over item id, timestamp and body, whatever the source's own scheme:
nobody but Orum can sign like Orum. Without a valid one the header means nothing.
"""

from typing import List, Optional, Tuple

from hookvitals.schemes import HeaderItems, standard_key, standard_signature
from hookvitals.schemes.errors import VerificationError
from hookvitals.schemes.signed import DEFAULT_TOLERANCE_S, bounded, only, same, seconds, within

ITEM, TIMESTAMP, SIGNATURE = "Hookvitals-Replay", "Hookvitals-Timestamp", "Hookvitals-Signature"
_MAX_ITEM_CHARS = 64


def replay_item(headers: HeaderItems, body: bytes, secret: Optional[str], now: float) -> Optional[str]:
    """The replay item's id when the request is one of ours and signed now; None otherwise."""
    if not secret or not any(name == ITEM.lower() for name, _ in headers):
        return None
    try:
        item = only(headers, ITEM)
        stamp = only(headers, TIMESTAMP)
        within(seconds(stamp), now, DEFAULT_TOLERANCE_S)
        expected = standard_signature(standard_key(secret), item, stamp, body).encode()
        given = bounded(only(headers, SIGNATURE).split(), "signatures")
        if any(same(expected, one.encode("utf-8", "replace")) for one in given):
            return item if len(item) <= _MAX_ITEM_CHARS else None
    except (VerificationError, ValueError):
        return None
    return None


def replay_headers(item: str, body: bytes, secret: str, now: float) -> List[Tuple[str, str]]:
    """The three headers that make a request a replay. secret: `whsec_…` or base64. Raises ValueError."""
    stamp = str(int(now))
    return [
        (ITEM, item),
        (TIMESTAMP, stamp),
        (SIGNATURE, standard_signature(standard_key(secret), item, stamp, body)),
    ]
