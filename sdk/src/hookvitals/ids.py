"""Record ids: UUIDv7 whose millisecond stamp is the record's time."""

import os
from typing import Callable

_HEX_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1


def uuid7(at_us: int, random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Canonical text of a UUIDv7 stamped with `at_us`, microseconds since 1970 (RFC 9562, section 5.7)."""
    bits = int.from_bytes(random_bytes(10), "big")
    value = (at_us // 1000 & (1 << 48) - 1) << 80
    value |= _HEX_VERSION | (bits >> 62 & _RANDOM_A) << 64 | _VARIANT | bits & _RANDOM_B
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
