"""The links that messages carry: where people reach the dashboard, and the key that signs those that act."""

import hashlib
import hmac

from alerts.message import Links
from alerts.permits import Permits
from monitor.config import Settings
from monitor.wiring.addresses import public_url


def permits_of(sealing_key: bytes) -> Permits:
    """Every process that holds the sealing key signs and reads the same links; the key is worked out from it
    and never stored."""
    return Permits(hmac.digest(sealing_key, b"hookvitals links that act", hashlib.sha256))


def links_of(settings: Settings, sealing_key: bytes) -> Links:
    return Links(public_url(settings), permits_of(sealing_key))
