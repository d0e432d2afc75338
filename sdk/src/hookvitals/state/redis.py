"""State in Redis, shared by any number of hosts. Each operation is one script on one key, so it is atomic.

What Redis forgets is forgotten: with its defaults a crash loses minutes of claims, with `appendfsync always`
none, and a failover may lose the last ones. An event whose claim was lost may be handled twice; none is lost.
"""

import math
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Optional

from hookvitals.schemes.errors import MissingDependency
from hookvitals.state import forks
from hookvitals.state.base import (
    HANDED_OVER,
    HANDLED,
    KEEP_UNDONE_US,
    KEEP_VERSION_US,
    UNDONE,
    Change,
    Claim,
    StateUnavailable,
)

_CLAIM = """
local held = redis.call('HMGET', KEYS[1], 'done', 'until_us')
if held[2] and tonumber(held[2]) > tonumber(ARGV[1]) then
    return held[1] == '0' and 'busy' or 'done'
end
redis.call('HSET', KEYS[1], 'done', 0, 'until_us', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'new'
"""
_DONE = """
redis.call('HSET', KEYS[1], 'done', ARGV[3], 'until_us', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_FREE = """
local held = redis.call('HMGET', KEYS[1], 'done', 'until_us')
if held[1] == ARGV[1] and (ARGV[2] == '' or held[2] == ARGV[2]) then
    redis.call('HSET', KEYS[1], 'done', 0, 'until_us', ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
"""
_ADVANCE = """
local held = redis.call('GET', KEYS[1])
if not held or tonumber(held) < tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
"""
_SWAP = """
local held = redis.call('GET', KEYS[1])
if (held or '') == ARGV[1] and (held and '1' or '0') == ARGV[2] then
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
    return 1
end
return {held}
"""
_TRIES = 1000
"""Of a change that others forestall: each time one of them got through."""


class RedisState:
    """A State in the Redis at `url`, e.g. redis://host:6379/0, rediss://… or unix:///run/redis.sock?db=0.

    prefix: begins every key. timeout_s: how long a call may take before Redis counts as away. now: seconds
    since 1970, by which expiry is set. Connects when first asked.
    Raises ValueError for a URL that cannot be one, MissingDependency without the redis extra.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "hookvitals:",
        timeout_s: float = 2.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._now = now
        self._client: Any = None
        self._scripts: Dict[str, Any] = {}
        self.connect_anew()
        forks.tell_in_child(self)

    def connect_anew(self) -> object:
        """Takes a new pool of connections; gives the one of before."""
        try:
            from redis import Redis  # noqa: PLC0415  # the redis extra
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError as exc:
            raise MissingDependency("RedisState needs: pip install 'hookvitals[redis]'") from exc
        before = self._client
        self._client = client = Redis.from_url(
            self._url,
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            retry=Retry(
                NoBackoff(), 0
            ),  # the sender comes again; a script may have run though no answer came
        )
        self._scripts = {
            script: client.register_script(script) for script in (_CLAIM, _DONE, _FREE, _ADVANCE, _SWAP)
        }
        return before

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        kept_ms = (lease_us + KEEP_UNDONE_US) // 1000
        return Claim(self._run(_CLAIM, "claim", key, now_us, now_us + lease_us, kept_ms).decode())

    def done(self, key: str, until_us: int, *, handed_over: bool = False) -> None:
        what = HANDED_OVER if handed_over else HANDLED
        self._run(_DONE, "claim", key, until_us, self._ms_until(until_us), what)

    def release(self, key: str, lease_until_us: int, now_us: int) -> None:
        self._run(_FREE, "claim", key, UNDONE, lease_until_us, now_us, KEEP_UNDONE_US // 1000)

    def reopen(self, key: str, now_us: int) -> None:
        self._run(_FREE, "claim", key, HANDED_OVER, "", now_us, KEEP_UNDONE_US // 1000)

    def attempts(self, key: str) -> int:
        with self._asking():
            return int(self._client.hget(self._key("claim", key), "attempts") or 0)

    def version(self, resource: str) -> Optional[float]:
        with self._asking():
            held = self._client.get(self._key("version", resource))
        return None if held is None else float(held)

    def advance(self, resource: str, version: float, now_us: int) -> None:
        self._run(_ADVANCE, "version", resource, repr(version), KEEP_VERSION_US // 1000)

    def change(self, note: str, change: Change, until_us: int) -> bytes:
        with self._asking():
            held: Optional[bytes] = self._client.get(self._key("note", note))
        for _ in range(_TRIES):
            value = change(held)
            was = (b"", 0) if held is None else (held, 1)
            told = self._run(_SWAP, "note", note, *was, value, self._ms_until(until_us))
            if told == 1:
                return value
            (held,) = told  # what somebody else made it in between
        raise StateUnavailable(f"others changed a note {_TRIES} times in between")

    def close(self) -> None:
        self._client.close()

    def _run(self, script: str, noun: str, name: str, *arguments: object) -> Any:
        with self._asking():
            return self._scripts[script](keys=[self._key(noun, name)], args=arguments)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        from redis.exceptions import RedisError  # noqa: PLC0415  # the redis extra

        try:
            yield
        except RedisError as exc:
            raise StateUnavailable(f"Redis: {exc}") from exc

    def _key(self, noun: str, name: str) -> bytes:
        return f"{self._prefix}{noun}:{name}".encode()

    def _ms_until(self, until_us: int) -> int:
        return max(1, math.ceil((until_us / 1e6 - self._now()) * 1000))
