"""The key under which the worker reports its probes: worked out from the sealing key, never stored in clear.

Every process that holds the sealing key knows it; the collector finds its hash in control like any other's.
"""

import hashlib
import hmac

from monitor.clock import Clock
from monitor.store.control import Control
from monitor.store.control.keys import ApiKey

NAME = "the worker's own probes"
SCOPE = "ingest"


def internal_key(sealing_key: bytes) -> str:
    """The whole key, `hv_<id>_<secret>`."""
    secret = hmac.digest(sealing_key, b"hookvitals internal ingest", hashlib.sha256).hex()
    return f"hv_{_id(secret)}_{secret}"


def ensure_internal_key(control: Control, sealing_key: bytes, clock: Clock) -> str:
    """The same, and known to control. A key that was revoked stays revoked."""
    key = internal_key(sealing_key)
    secret = key.rpartition("_")[2]
    if control.keys.get(_id(secret)) is None:
        made = ApiKey(
            id=_id(secret),
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            name=NAME,
            scopes=frozenset({SCOPE}),
            sources=frozenset(),
            environment=None,
            created_by="hookvitals",
            created_at=clock.now(),
        )
        with control.write() as tx:
            control.keys.ensure(tx, made)  # another process may just have done it
    return key


def _id(secret: str) -> str:
    return "worker" + hashlib.sha256(f"id of {secret}".encode()).hexdigest()[:8]
