"""How much one receiver takes in: the source's allowance, and another for what is ours, canaries and replays.

With a state that processes share, one token bucket for all of them, kept as a note. With state in memory a
bucket of this process. A bucket that cannot be asked lets everything through: the claim decides then.
"""

import logging
import math
from contextlib import suppress
from typing import Callable, Optional, Tuple

from hookvitals.limits import TokenBucket
from hookvitals.settings import SEPARATOR, Settings
from hookvitals.state import MemoryState, State

log = logging.getLogger("hookvitals")

WaitS = Callable[[], float]
_CLOCKS_DIFFER_US = 60_000_000
"""A wall clock this far behind the last one asked was set back, or is another host's."""


class Allowance:
    """One limit of one receiver. said: what its first use writes into the log, if anything."""

    def __init__(self, wait_s: WaitS, said: str = "") -> None:
        self._wait_s = wait_s
        self._said = said
        self._broken = False

    def wait_s(self) -> float:
        """0 and one token taken, or the seconds until there will be one. Never raises."""
        if self._said:
            said, self._said = self._said, ""
            with suppress(Exception):  # somebody's handler of the log may break
                log.info("hookvitals: %s", said)
        try:
            return self._wait_s()
        except Exception:
            if not self._broken:
                self._broken = True
                log.exception("hookvitals: a rate limit cannot be kept, and lets everything through")
            return 0.0


def allowances(
    settings: Settings, state: State, now: Callable[[], float], monotonic: Callable[[], float]
) -> Tuple[Optional[Allowance], Optional[Allowance]]:
    """(the source's, that of canaries and replays); None where one is switched off."""
    profile = settings.profile

    def made(name: str, per_minute: Optional[float], burst: Optional[float]) -> Optional[Allowance]:
        if per_minute is None:
            return None
        said = _said(settings, per_minute) if name == "rate" else ""
        size = per_minute if burst is None else burst
        if isinstance(state, MemoryState):
            bucket = TokenBucket(per_minute, size)
            return Allowance(lambda: bucket.wait_s(monotonic()), said)
        note = SEPARATOR.join((name, settings.scope))
        return Allowance(SharedBucket(state, note, per_minute, size, now).wait_s, said)

    return (
        made("rate", profile.rate_per_minute, profile.rate_burst),
        made("own rate", profile.replays_per_minute, None),
    )


def _said(settings: Settings, per_minute: float) -> str:
    return (
        f"the limit of {per_minute:g} a minute is on for {settings.source} at {settings.endpoint}; "
        "profile={'rate_per_minute': None} switches it off"
    )


class SharedBucket:
    """`rate_per_minute` tokens a minute, at most `burst` at once, for all who share the state."""

    def __init__(
        self, state: State, note: str, rate_per_minute: float, burst: float, now: Callable[[], float]
    ) -> None:
        self._state = state
        self._note = note
        self._per_s = rate_per_minute / 60.0
        self._size = max(1.0, burst)
        self._now = now

    def wait_s(self) -> float:
        """0 and one token taken, or the seconds until there will be one."""
        now_us = int(self._now() * 1e6)
        full_in_us = int(self._size / self._per_s * 1e6) + _CLOCKS_DIFFER_US
        note = self._state.change(
            self._note, lambda held: spent(held, now_us, self._per_s, self._size), now_us + full_in_us
        )
        return _read(note)[2]


def spent(held: Optional[bytes], now_us: int, per_s: float, size: float) -> bytes:
    """The bucket after one request at `now_us`; its last number is that request's wait.

    The clock is a wall clock, of one of several hosts: a little behind the last one nothing is gained, so
    that clocks which differ make no tokens; far behind it was set back, and counting begins there.
    """
    tokens, at_us, _ = _read(held, fresh=(size, now_us, 0.0))
    if now_us < at_us - _CLOCKS_DIFFER_US:
        at_us = now_us
    tokens = min(size, tokens + max(0, now_us - at_us) / 1e6 * per_s)
    at_us = max(at_us, now_us)
    if tokens >= 1.0:
        return _written(tokens - 1.0, at_us, 0.0)
    return _written(tokens, at_us, (1.0 - tokens) / per_s + (at_us - now_us) / 1e6)


def _written(tokens: float, at_us: int, wait_s: float) -> bytes:
    return f"{tokens!r} {at_us} {wait_s!r}".encode()


def _read(note: Optional[bytes], fresh: Tuple[float, int, float] = (0.0, 0, 0.0)) -> Tuple[float, int, float]:
    """(tokens, at_us, wait_s); a note that is none of ours is a fresh bucket."""
    try:
        tokens, at_us, wait_s = (note or b"").split()
        read = float(tokens), int(at_us), float(wait_s)
    except ValueError:
        return fresh
    return read if math.isfinite(read[0]) else fresh
