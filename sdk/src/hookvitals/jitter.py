"""Random waits, drawn from the system: the application's own random numbers stay what it expects, and no two
forked processes wait alike. The standard library's `random` would be a millisecond of the import.
"""

import os


def uniform(low: float, high: float) -> float:
    """Anything from `low` to `high`, all of it as likely."""
    return low + (high - low) * (int.from_bytes(os.urandom(7), "big") / (1 << 56))
