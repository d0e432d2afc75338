"""The rate of a source: 429 with the time to come back, shared by nobody else, refilled with time."""

import pytest

from hookvitals.limits import TokenBucket
from tests.sdk.world import World, deliver


def test_the_101st_of_a_minute_is_told_429_and_when_to_come_back(world: World) -> None:
    receiver = world.receiver()
    statuses = [deliver(receiver, f"evt_{number}").status for number in range(100)]

    refused = deliver(receiver, "evt_100")

    assert set(statuses) == {200}
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert refused.problem["code"] == "rate_limited"
    record = world.records()[-1]
    assert (record["outcome"], record["reason"], record["http_status"]) == ("rejected", "rate_limited", 429)


def test_the_allowance_comes_back_with_time(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": 2})

    statuses = []
    for number, passed_s in enumerate((0, 0, 0, 29, 1, 0, 90, 0, 0)):
        world.clock.now += passed_s
        statuses.append(deliver(receiver, f"evt_{number}", at=world.clock.now).status)

    assert statuses == [200, 200, 429, 429, 200, 429, 200, 200, 429]


def test_a_refused_event_is_handled_when_it_comes_again(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": 1})
    deliver(receiver, "evt_0")
    assert deliver(receiver, "evt_1").status == 429

    world.clock.now += 60
    assert deliver(receiver, "evt_1", at=world.clock.now).status == 200
    assert [event.id for event in world.handled] == ["evt_0", "evt_1"]


def test_none_switches_the_limit_off(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": None})

    assert {deliver(receiver, f"evt_{number}").status for number in range(150)} == {200}


def test_a_clock_that_jumps_back_gives_nothing_and_takes_nothing() -> None:
    bucket = TokenBucket(60, burst=1)
    assert bucket.wait_s(1000.0) == 0.0

    assert bucket.wait_s(10.0) == pytest.approx(1.0)
    assert bucket.wait_s(11.0) == 0.0


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="None"):
        TokenBucket(0)
