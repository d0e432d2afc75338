"""The places of a state: `place` is the one that the test is run for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from hookvitals.state import State
from tests import redis_server
from tests.redis_server import Redis
from tests.sdk.state.places import KINDS, Place
from tests.sdk.world import Clock


@pytest.fixture(scope="session")
def redis_of_the_session() -> Iterator[Redis]:
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with redis_server.server() as started:
        yield started


@pytest.fixture
def redis_url(redis_of_the_session: Redis) -> Iterator[str]:
    """The URL of an empty Redis."""
    yield redis_of_the_session.url
    with redis.Redis.from_url(redis_of_the_session.url) as client:
        client.flushall()


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    kind, path = request.param, tmp_path / "state.db"
    if kind in ("redis", "postgresql"):
        return Place(kind, request.getfixturevalue("redis_url" if kind == "redis" else "postgres_url"))
    return Place(kind, f"sqlite:///{path}" if kind == "sql on sqlite" else str(path))


@pytest.fixture
def clock() -> Clock:
    """Begins at 0."""
    return Clock(0.0)


@pytest.fixture
def state(place: Place, clock: Clock) -> Iterator[State]:
    made = place.opened(clock)
    yield made
    made.close()
