"""The replay secret of an endpoint, sealed and opened.

An opened one lives as long as one request; it reaches no log, no `repr` and no row.
"""

import msgspec

from monitor.seal import Sealer


def sealed_secret(sealer: Sealer, secret: str, environment: str, source: str, endpoint: str) -> bytes:
    """The secret as the store keeps it, bound to its endpoint."""
    return sealer.seal(secret.encode(), _context(environment, source, endpoint))


def opened_secret(sealer: Sealer, sealed: bytes, environment: str, source: str, endpoint: str) -> str:
    """Raises monitor.seal.Unsealable."""
    return sealer.open(sealed, _context(environment, source, endpoint)).decode()


def _context(environment: str, source: str, endpoint: str) -> bytes:
    return msgspec.msgpack.encode(("replay_secret", environment, source, endpoint))
