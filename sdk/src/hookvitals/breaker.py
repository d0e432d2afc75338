"""Leaves a handler in peace while most of what it does fails: a circuit breaker for one receiver.

Closed, it counts what happened in the last minute; open, nothing runs; half open, one event at a time is let
through to try. What it knows is a note in the state, so all processes that share that agree. The steps
(`asked`, `told`) are pure: a note in, a note out. Without a state to ask everything is let through.
"""

import json
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from hookvitals.failures import Kind
from hookvitals.ids import uuid7
from hookvitals.locks import Lock
from hookvitals.settings import SEPARATOR
from hookvitals.state import State
from hookvitals.state.base import Change

log = logging.getLogger("hookvitals")

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
_SLICES = 12
"""The window slides by a twelfth of itself."""
_LOOK_EVERY_US = 1_000_000
"""How long a process believes that the breaker is still closed, while all goes well."""
_CLOCK_SET_BACK_US = 60_000_000
_KEEP_US = 86_400_000_000


@dataclass(frozen=True)
class BreakerPolicy:
    """Opens after `failures` within `window_s` that are at least `share` of what happened in it; tries one
    event after `open_s`, and closes after `successes` of those. A permanent failure is the event's own, and
    does not count.
    """

    failures: int = 5
    share: float = 0.5
    window_s: float = 60.0
    open_s: float = 60.0
    successes: int = 2

    def __post_init__(self) -> None:
        if self.failures < 1 or self.successes < 1 or not 0 < self.share <= 1:
            raise ValueError("a breaker needs failures and successes of 1 or more, and a share in 0..1")
        if not 0 < self.window_s < float("inf") or not 0 < self.open_s < float("inf"):
            raise ValueError("a breaker needs a window and an open time above 0 s")


@dataclass
class Note:
    """What all processes know. slices: of the window, start_us → [successes, failures]."""

    state: str = CLOSED
    since_us: int = 0
    slices: Dict[int, List[int]] = field(default_factory=dict)
    probe: str = ""
    probe_until_us: int = 0
    good_probes: int = 0

    @classmethod
    def read(cls, held: Optional[bytes]) -> "Note":
        """A note that is none of ours is a closed breaker."""
        try:
            kept: Dict[str, Any] = json.loads(held or b"{}")
            slices = {int(at): [int(good), int(bad)] for at, (good, bad) in kept.pop("slices", {}).items()}
            note = cls(slices=slices, **kept)
            return note if note.state in (CLOSED, OPEN, HALF_OPEN) else cls()
        except (TypeError, ValueError, AttributeError):
            return cls()

    def written(self) -> bytes:
        return json.dumps(vars(self), separators=(",", ":")).encode()

    def become(self, state: str, now_us: int) -> None:
        """Another state, with nothing counted in it yet."""
        self.state, self.since_us, self.slices = state, now_us, {}
        self.probe, self.probe_until_us, self.good_probes = "", 0, 0


def asked(held: Optional[bytes], policy: BreakerPolicy, token: str, now_us: int) -> bytes:
    """The note after somebody asked to run an event; where it is open, `probe` says who may."""
    note = Note.read(held)
    if note.state == CLOSED:
        return note.written()
    open_us = int(policy.open_s * 1e6)
    if now_us < note.since_us - _CLOCK_SET_BACK_US:
        note.since_us = now_us
    if note.state == OPEN and now_us >= note.since_us + open_us:
        note.become(HALF_OPEN, now_us)
    free = not note.probe or not now_us < note.probe_until_us <= now_us + open_us
    if note.state == HALF_OPEN and free:
        note.probe, note.probe_until_us = token, now_us + open_us  # who died with it holds it no longer
    return note.written()


def told(
    held: Optional[bytes], policy: BreakerPolicy, token: str, went: Optional[bool], spare: int, now_us: int
) -> bytes:
    """The note after an event went well or not; None where that cannot be said. spare: successes before it.

    While the breaker is not closed, only the event that was let through to try says anything.
    """
    note = Note.read(held)
    if note.state == CLOSED:
        _count(note, policy, spare + (went is True), int(went is False), now_us)
    elif note.state == HALF_OPEN and token and token == note.probe:
        note.probe, note.probe_until_us = "", 0
        note.good_probes += went is True
        if went is False:
            note.become(OPEN, now_us)
        elif note.good_probes >= policy.successes:
            note.become(CLOSED, now_us)
    return note.written()


def _count(note: Note, policy: BreakerPolicy, good: int, bad: int, now_us: int) -> None:
    width_us = max(1, int(policy.window_s * 1e6 / _SLICES))
    start_us = now_us // width_us * width_us
    oldest_us = start_us - width_us * (_SLICES - 1)
    note.slices = {at: n for at, n in note.slices.items() if oldest_us <= at <= start_us}
    counted = note.slices.setdefault(start_us, [0, 0])
    counted[0] += good
    counted[1] += bad
    failures = sum(n[1] for n in note.slices.values())
    everything = sum(sum(n) for n in note.slices.values())
    if bad and failures >= policy.failures and failures >= policy.share * everything:
        note.become(OPEN, now_us)


class Permit(NamedTuple):
    """Leave to run one event. wait_s: above 0 where it must wait."""

    token: str
    wait_s: float


class CircuitOpen(Exception):
    """An event was not tried: the breaker of its receiver is open."""


class Breaker:
    """The breaker of one receiver, whose scope this is. policy: None lets everything through. Never raises.

    While all goes well it is asked for nothing but once a second: successes are told together.
    """

    def __init__(
        self, policy: Optional[BreakerPolicy], state: State, scope: str, now_us: Callable[[], int]
    ) -> None:
        self._policy = policy or BreakerPolicy()
        self._off = policy is None
        self._state = state
        self._note = SEPARATOR.join(("breaker", scope))
        self.name = "/".join(scope.split(SEPARATOR))
        self._now_us = now_us
        self._lock = Lock()
        self._good = 0
        self._seen = Note()
        self._seen_us = -_LOOK_EVERY_US
        self._broken = False

    @property
    def state(self) -> str:
        """closed, open or half_open, as this process saw it last."""
        return self._seen.state

    def wait_s(self) -> float:
        """For how long nobody can get leave; 0 when it may be asked for."""
        now_us = self._now_us()
        if self._believed_closed(now_us):
            return 0.0
        return self._left_s(self._changed(lambda held: Note.read(held).written(), now_us), now_us)

    def ask(self) -> Permit:
        """Leave to run one event. Who got it tells what became of the event."""
        now_us = self._now_us()
        if self._believed_closed(now_us):
            return Permit("", 0.0)
        token = uuid7(now_us)
        note = self._changed(lambda held: asked(held, self._policy, token, now_us), now_us)
        if note.state == CLOSED or note.probe == token:
            return Permit(token, 0.0)
        return Permit("", max(1.0, self._left_s(note, now_us)))

    def tell(self, permit: Permit, went: Optional[bool]) -> None:
        """Whether the event went well; None where it was not run, or its failure was its own."""
        now_us = self._now_us()
        with self._lock:
            if self._off:
                return
            if went is not False and self._believed_closed(now_us):
                self._good += went is True
                return
            spare, self._good = self._good, 0
        self._changed(lambda held: told(held, self._policy, permit.token, went, spare, now_us), now_us)

    def _believed_closed(self, now_us: int) -> bool:
        return self._off or (self._seen.state == CLOSED and abs(now_us - self._seen_us) < _LOOK_EVERY_US)

    def _left_s(self, note: Note, now_us: int) -> float:
        until_us = 0
        if note.state == OPEN:
            until_us = note.since_us + int(self._policy.open_s * 1e6)
        elif note.state == HALF_OPEN:
            until_us = note.probe_until_us
        return min(self._policy.open_s, max(0.0, (until_us - now_us) / 1e6))

    def _changed(self, change: Change, now_us: int) -> Note:
        try:
            note = Note.read(self._state.change(self._note, change, now_us + _KEEP_US))
            self._broken = False
        except Exception:
            if not self._broken:
                self._broken = True
                log.exception("hookvitals: a breaker cannot be kept, and lets everything through")
            note = Note()
        if note.state != self._seen.state:
            with suppress(Exception):  # somebody's handler of the log may break
                log.warning("hookvitals: the breaker of %s is %s", self.name, note.state)
        self._seen, self._seen_us = note, now_us
        return note


def went(error: Optional[BaseException], kind: Callable[[BaseException], Kind]) -> Optional[bool]:
    """What a breaker is told of a handler that raised `error`, or nothing. The end of a process or a thread
    is no verdict on the work."""
    if error is None:
        return True
    return None if kind(error) is Kind.PERMANENT or not isinstance(error, Exception) else False
