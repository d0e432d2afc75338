"""What is of Redis alone: its own expiry, its outages, its persistence, and connections across forks."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from hookvitals import RedisState
from hookvitals.state import Claim, StateUnavailable
from tests import redis_server
from tests.sdk.world import Clock

S = 1_000_000
DAY_MS = 86_400_000


@pytest.fixture
def state(redis_url: str) -> Iterator[RedisState]:
    made = RedisState(redis_url, now=Clock(0.0))
    yield made
    made.close()


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as made:
        yield made


def kept_ms(client: "redis.Redis", noun: str) -> int:
    (key,) = client.keys(f"hookvitals:{noun}:*")
    return int(client.pttl(key))


def test_every_key_has_its_end(state: RedisState, client: "redis.Redis") -> None:
    """practice 13: memory of events is bounded by the time that a sender may repeat them in."""
    state.claim("k", 0, 60 * S)
    assert 7 * DAY_MS < kept_ms(client, "claim") <= 7 * DAY_MS + 60_000
    state.release("k", 60 * S, 0)
    assert 6 * DAY_MS < kept_ms(client, "claim") <= 7 * DAY_MS
    state.done("k", 3600 * S)
    assert 3_500_000 < kept_ms(client, "claim") <= 3_600_000
    state.advance("r", 1.0, 0)
    assert 27 * DAY_MS < kept_ms(client, "version") <= 28 * DAY_MS
    state.change("n", lambda was: b"value", 60 * S)
    assert 50_000 < kept_ms(client, "note") <= 60_000


def test_what_expired_is_gone(state: RedisState, client: "redis.Redis") -> None:
    state.claim("k", 0, 60 * S)
    state.done("k", 20_000)
    state.change("n", lambda was: b"value", 20_000)

    deadline = time.monotonic() + 10
    while client.dbsize():
        assert time.monotonic() < deadline
    assert state.attempts("k") == 0
    assert state.change("n", lambda was: b"%r then" % was, S) == b"None then"


def test_states_of_two_prefixes_do_not_meet(redis_url: str, state: RedisState) -> None:
    other = RedisState(redis_url, prefix="other:", now=Clock(0.0))

    assert [one.claim("k", 0, S) for one in (state, other)] == [Claim.NEW, Claim.NEW]
    other.close()


def test_scripts_that_redis_forgot_are_told_again(state: RedisState, client: "redis.Redis") -> None:
    state.claim("k", 0, S)
    client.script_flush()

    assert state.claim("k", 0, S) is Claim.BUSY


@pytest.mark.faults
def test_a_kill_of_redis_loses_nothing_that_is_synced_and_a_restart_is_survived() -> None:
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with redis_server.server() as server:
        state = RedisState(server.url, now=Clock(0.0))
        state.claim("k", 0, S)
        state.done("k", 3600 * S)
        server.stop(signal.SIGKILL)
        with pytest.raises(StateUnavailable):
            state.claim("k", S, S)
        server.start()

        assert state.claim("k", S, S) is Claim.DONE
        server.stop()
        server.start()
        assert state.claim("k", S, S) is Claim.DONE, "no connection of before is in the way"
        state.close()


def test_a_redis_that_never_answers_counts_as_away_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        state = RedisState(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout_s=0.05)
        started = time.monotonic()
        with pytest.raises(StateUnavailable):
            state.claim("k", 0, S)
        assert time.monotonic() - started < 5
        state.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda state: state.claim("k", 0, S),
        lambda state: state.done("k", S),
        lambda state: state.release("k", S, 0),
        lambda state: state.reopen("k", 0),
        lambda state: state.attempts("k"),
        lambda state: state.version("r"),
        lambda state: state.advance("r", 1.0, 0),
        lambda state: state.change("n", lambda was: b"", S),
    ],
)
def test_every_question_to_a_redis_that_refuses_is_one_kind_of_error(
    state: RedisState, client: "redis.Redis", ask: Callable[[RedisState], object]
) -> None:
    """It is there and cannot answer: the key is of another type, as after a mistake with prefixes."""
    for key in ("claim:k", "version:r", "note:n"):
        client.lpush(f"hookvitals:{key}", "x")

    with pytest.raises(StateUnavailable, match="WRONGTYPE"):
        ask(state)


def test_what_cannot_be_a_url_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisState("localhost:6379")


def test_without_the_package_the_extra_is_named() -> None:
    program = """
import sys
sys.modules["redis"] = None
import hookvitals
try:
    hookvitals.RedisState("redis://localhost")
except hookvitals.MissingDependency as exc:
    print(exc)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == "RedisState needs: pip install 'hookvitals[redis]'\n"
