"""What receivers say of their event types: those they handle and those they expect.

Told to the collector when it changes, and once an hour for one that has forgotten. Does no I/O; used by the
shipper's thread, but for `declare`.
"""

import time
from typing import Any, Callable, Dict, List, Optional, Tuple

Said = Callable[[], Dict[str, Any]]
"""Gives environment, source, endpoint, and `handled` and `expected` types, in the collector's format."""

EVERY_S = 3600.0
MOST_AT_ONCE = 64
MOST_TYPES, TYPE_CHARS = 200, 256


class Declarations:
    """Of one process. monotonic: seconds of a clock that never jumps."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._sayers: Dict[str, Said] = {}
        self.begin()

    def begin(self) -> None:
        """Nothing is told yet: a forked child is an instance of its own."""
        self._told: Dict[str, Tuple[Dict[str, Any], float]] = {}
        self._telling: Dict[str, Dict[str, Any]] = {}

    def declare(self, receiver: str, said: Optional[Said]) -> None:
        """Registers what a receiver says. said: None where it says no more."""
        self._sayers.pop(receiver, None)
        if said is not None:
            self._sayers[receiver] = said

    def due(self, arrived: bool) -> List[Dict[str, Any]]:
        """What is to be told now. arrived: whether what was due before has been stored."""
        now_s = self._monotonic()
        if arrived:
            self._told.update((receiver, (says, now_s)) for receiver, says in self._telling.items())
        telling: Dict[str, Dict[str, Any]] = {}
        for receiver, said in list(self._sayers.items()):
            says = said()
            told = self._told.get(receiver)
            if told is None or told[0] != says or now_s - told[1] >= EVERY_S:
                telling[receiver] = says
            if len(telling) == MOST_AT_ONCE:
                break
        self._telling = telling
        return list(telling.values())
