"""An address that keeps failing is turned away before its signature costs anything; nobody else is."""

import pytest

from hookvitals import Receiver
from hookvitals.limits import FailureLimit
from tests.sdk.world import URL, Answered, World, deliver, request


def forge(receiver: Receiver, address: str | None = "192.0.2.66") -> Answered:
    headers, body = request()
    return Answered(receiver.handle("POST", URL, headers, body + b" ", address))


def test_after_too_many_forgeries_an_address_is_told_429_unheard(world: World) -> None:
    receiver = world.receiver(failures_per_minute=3)

    answers = [forge(receiver) for _ in range(5)]

    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) == 20
    rejected = world.records()
    assert [record["reason"] for record in rejected[2:4]] == ["bad_signature", "rate_limited"]
    assert "verify_ms" not in rejected[3]


def test_others_are_heard_all_the_while(world: World) -> None:
    receiver = world.receiver(failures_per_minute=1)
    for _ in range(3):
        forge(receiver)

    assert deliver(receiver, address="192.0.2.1").status == 200
    assert deliver(receiver, "evt_2", address="192.0.2.66").status == 429


def test_who_never_fails_is_never_limited_by_this(world: World) -> None:
    receiver = world.receiver(failures_per_minute=1, profile={"rate_per_minute": None})

    assert {deliver(receiver, f"evt_{number}").status for number in range(50)} == {200}


def test_it_is_heard_again_with_time(world: World) -> None:
    receiver = world.receiver(failures_per_minute=1)
    forge(receiver)
    assert forge(receiver).status == 429

    world.clock.now += 60
    assert deliver(receiver, address="192.0.2.66", at=world.clock.now).status == 200


def test_without_an_address_or_a_limit_everybody_is_heard(world: World) -> None:
    unlimited = world.receiver(failures_per_minute=None)
    nameless = world.receiver(failures_per_minute=1)

    assert {forge(unlimited).status for _ in range(50)} == {401}
    assert {forge(nameless, None).status for _ in range(50)} == {401}


def test_the_table_of_addresses_is_bounded_and_forgets_the_longest_silent() -> None:
    limit = FailureLimit(1, max_addresses=100)
    for number in range(1000):
        limit.failed(f"a{number}", 0.0)
        limit.failed("a0", 0.0)

    limited = [number for number in range(1000) if limit.wait_s(f"a{number}", 0.0) > 0]

    assert limited == [0, *range(901, 1000)]


def test_a_limit_of_nothing_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="failures_per_minute"):
        world.receiver(failures_per_minute=0)
