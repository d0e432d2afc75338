"""Who may send: keys checked against a copy in memory, which goes on while the control store is away.

Never reads a store itself: it is given a function that lists the keys. Never keeps or logs a secret.
"""

import hashlib
import hmac
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.errors import Forbidden, HookvitalsError, Unauthorized, Unavailable

log = logging.getLogger(__name__)

INGEST = "ingest"
_UNKNOWN_HASH = hashlib.sha256(b"no such key").hexdigest()


@dataclass(frozen=True, slots=True)
class Key:
    """One API key as stored. hash: SHA-256 of its secret in hex; sources: empty for all of them."""

    id: str
    hash: str = field(repr=False)
    scopes: frozenset[str]
    sources: frozenset[str] = frozenset()
    environment: str | None = None
    revoked: bool = False


class KeyRing(Protocol):
    def find(self, key_id: str) -> Key | None: ...


LoadKeys = Callable[[], Sequence[Key]]


class KeySnapshot:
    """A KeyRing that copies all keys now and then; keeps the last copy when they cannot be read."""

    def __init__(self, load: LoadKeys) -> None:
        self._load = load
        self._keys: Mapping[str, Key] = {}
        self.is_loaded = False
        """Whether the keys could be read at least once."""
        self.failures = 0

    def find(self, key_id: str) -> Key | None:
        """Raises Unavailable before the first copy: who sends then is not told that the key is wrong."""
        if not self.is_loaded:
            raise Unavailable("the keys could not be read yet", "send it again", retry_after_s=2)
        return self._keys.get(key_id)

    def refresh(self) -> bool:
        """Copies the keys again; False, with the old copy kept, when they cannot be read."""
        try:
            keys = {key.id: key for key in self._load()}
        except Exception as exc:  # whatever the store raises: the collector goes on with what it knows
            self.failures += 1
            if self.failures & (self.failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
                unforeseen = None if isinstance(exc, HookvitalsError) else exc
                log.warning("keys cannot be read, the last copy stays in use: %s", exc, exc_info=unforeseen)
            return False
        self._keys, self.is_loaded, self.failures = keys, True, 0
        return True

    def refresh_every(self, seconds: float) -> threading.Event:
        """Refreshes from a thread of its own until the event it returns is set."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(seconds):
                self.refresh()

        threading.Thread(target=run, name="keys", daemon=True).start()
        return stop


def authenticated(authorization: str | None, ring: KeyRing, scope: str) -> Key:
    """The key of an Authorization header. Raises Unauthorized, or Forbidden when it lacks the scope."""
    kind, _, token = (authorization or "").partition(" ")
    prefix, _, rest = token.strip().partition("_")
    key_id, _, secret = rest.partition("_")
    if kind.lower() != "bearer" or prefix != "hv" or not key_id or not secret:
        raise Unauthorized("no key was given", "send `Authorization: Bearer hv_<id>_<secret>`")
    key = ring.find(key_id)
    given = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
    matches = hmac.compare_digest(given, key.hash if key else _UNKNOWN_HASH)
    if key is None or not matches or key.revoked:
        raise Unauthorized("this key is not valid", "make one with `hookvitals key create`")
    if scope not in key.scopes:
        raise Forbidden(f"this key has no scope {scope}", f"use a key with the scope {scope}")
    return key
