"""Time as an argument: whoever needs the time is given a Clock, so that tests move it and never sleep."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, from an arbitrary start."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_name(told_by: Path = BOOT_ID) -> str:
    """The same for every process while the machine runs; another one at each call where the system tells
    none. What `monotonic` said may be compared under the same name only."""
    try:
        return told_by.read_text().strip()
    except OSError:
        return secrets.token_hex(16)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Integer microseconds since 1970 UTC of an aware time, exact."""
    return (at - EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The aware UTC time of integer microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)
