"""Keys that a provider publishes, by URL or key id: fetched when first needed, kept, renewed ahead of need.

A verification waits for a fetch only where no usable key is kept. What a request names is a stranger's
choice: one name is asked for once a minute at most, and only a few strange names are in that minute.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, Generic, List, Optional, Tuple, TypeVar

from hookvitals.key_fetch import KeyUnavailable

log = logging.getLogger("hookvitals")

Key = TypeVar("Key")
Background = Callable[[Callable[[], None]], None]
_AHEAD = 0.8
"""The share of its lifetime after which a key is renewed."""
_STRANGERS = 10
_WAIT_S = 10.0


@dataclass(frozen=True)
class _Kept(Generic[Key]):
    key: Key
    fetched_at: float


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="hookvitals-keys", daemon=True).start()


class Keyring(Generic[Key]):
    """fetch: gives the bytes behind a name, or raises. read: makes the key of them, or raises ValueError.

    lifetime_s: a key is renewed in the background from four fifths of it on. stale_s: how long a key is still
    used after its lifetime while renewing fails. retry_s: a name is asked for once in this time at most.
    capacity: names kept; the one renewed longest ago gives way.
    """

    def __init__(
        self,
        fetch: Callable[[str], bytes],
        read: Callable[[bytes], Key],
        *,
        lifetime_s: float = 86_400.0,
        stale_s: float = 3 * 86_400.0,
        retry_s: float = 60.0,
        capacity: int = 32,
        monotonic: Callable[[], float] = time.monotonic,
        background: Background = _in_thread,
    ) -> None:
        self._fetch = fetch
        self._read = read
        self._lifetime_s = lifetime_s
        self._stale_s = stale_s
        self._retry_s = retry_s
        self._capacity = capacity
        self._monotonic = monotonic
        self._background = background
        self._kept: Dict[str, _Kept[Key]] = {}
        self._start()

    def get(self, name: str) -> Key:
        """The key by this name. Raises KeyUnavailable when none is kept and none can be fetched."""
        found = self._usable(name)
        if found is not None:
            kept, due = found
            if due:
                self._renew_behind(name)
            return kept.key
        return self._fetched(name)

    def renew(self, name: str) -> None:
        """Asks for this key again behind the caller's back, unless it was asked for within retry_s."""
        with self._mutex():
            due = self._may_ask(name)
        if due:
            self._renew_behind(name)

    def _usable(self, name: str) -> Optional[Tuple[_Kept[Key], bool]]:
        """(what is kept, whether it is to be renewed now)."""
        with self._mutex():
            kept = self._young(name)
            if kept is None:
                return None
            due = self._monotonic() - kept.fetched_at >= self._lifetime_s * _AHEAD
            return kept, due and self._may_ask(name)

    def _young(self, name: str) -> Optional[_Kept[Key]]:
        """What is kept and may still be used. Under the lock."""
        kept = self._kept.get(name)
        if kept is None or self._monotonic() - kept.fetched_at > self._lifetime_s + self._stale_s:
            return None
        return kept

    def _renew_behind(self, name: str) -> None:
        try:
            self._background(lambda: self._ask_quietly(name))
        except RuntimeError:  # no thread can be started: what is kept still serves
            log.warning("hookvitals: a key could not be renewed: no thread")

    def _fetched(self, name: str) -> Key:
        """Fetched now, by one thread for all that wait for it."""
        with self._mutex():
            kept = self._young(name)
            if kept is not None:  # another thread has fetched it since we looked
                return kept.key
            under_way = self._under_way.get(name)
            if under_way is None:
                if not self._may_ask(name):
                    raise KeyUnavailable("this key was asked for a moment ago, in vain")
                mine = self._under_way[name] = threading.Event()
        if under_way is None:
            try:
                return self._ask(name)
            finally:
                with self._mutex():
                    self._under_way.pop(name, None)
                mine.set()
        under_way.wait(_WAIT_S)
        found = self._usable(name)
        if found is None:
            raise KeyUnavailable("this key could not be fetched")
        return found[0].key

    def _ask_quietly(self, name: str) -> None:
        try:
            self._ask(name)
        except KeyUnavailable as exc:
            log.warning("hookvitals: a key could not be renewed, the kept one serves on: %s", exc)

    def _ask(self, name: str) -> Key:
        try:
            key = self._read(self._fetch(name))
        except KeyUnavailable:
            raise
        except Exception as exc:  # a fetch may be the user's own
            raise KeyUnavailable(f"what was fetched is no key: {type(exc).__name__}") from exc
        with self._mutex():
            self._kept[name] = _Kept(key, self._monotonic())
            while len(self._kept) > self._capacity:
                del self._kept[min(self._kept, key=lambda each: self._kept[each].fetched_at)]
        return key

    def _may_ask(self, name: str) -> bool:
        """Whether it is time to ask for this name; if so, it counts as asked. Under the lock."""
        now = self._monotonic()
        for each in [each for each, at in self._asked.items() if now - at >= self._retry_s]:
            del self._asked[each]
        if name in self._asked:
            return False
        strangers: List[str] = [each for each in self._asked if each not in self._kept]
        if name not in self._kept and len(strangers) >= _STRANGERS:
            return False
        self._asked[name] = now
        return True

    def _mutex(self) -> threading.Lock:
        if os.getpid() != self._pid:  # a fork may have copied the lock while another thread held it
            self._start()
        return self._lock

    def _start(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._asked: Dict[str, float] = {}
        self._under_way: Dict[str, threading.Event] = {}
