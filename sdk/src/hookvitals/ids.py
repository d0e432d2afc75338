"""Record ids: UUIDv7 whose millisecond stamp is the record's time.

The bits after the stamp hold the microseconds and a running number, so that the ids one process makes sort
in the order of their times, and at equal times in the order they were made.
"""

import itertools
import os
from typing import Callable

_RANDOM_BYTES = 6
_RANDOM = (1 << 46) - 1
_sequence = itertools.count()


def uuid7(at_us: int, random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Canonical text of a UUIDv7 stamped with `at_us`, microseconds since 1970 (RFC 9562, 5.7 and 6.2)."""
    at_ms, rest_us = divmod(at_us, 1000)
    after_stamp = rest_us * 4096 // 1000
    tail = (next(_sequence) & 0xFFFF) << 46 | int.from_bytes(random_bytes(_RANDOM_BYTES), "big") & _RANDOM
    value = (at_ms & (1 << 48) - 1) << 80 | 7 << 76 | after_stamp << 64 | 0b10 << 62 | tail
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
