"""A path for an endpoint that nobody guesses. It keeps scanners away and proves nothing: it stands in logs on
the way, and the signature is verified all the same.
"""

import secrets
from urllib.parse import quote

_RANDOM_BYTES = 16


def new_path(prefix: str) -> str:
    """A path of 128 random bits below `prefix`. Raises ValueError for a prefix that is no plain path."""
    if not prefix.startswith("/") or quote(prefix) != prefix:
        raise ValueError(f"a path begins with / and needs no quoting, unlike {prefix!r}")
    return f"{prefix.rstrip('/')}/{secrets.token_hex(_RANDOM_BYTES)}"
