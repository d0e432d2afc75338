"""Events handed over together, from the inbox: on size or time, and one poison event spoils no other."""

import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookvitals import BatchFailed, BreakerPolicy, Event, Permanent, Receiver, RetryPolicy
from hookvitals.batches import results_of
from hookvitals.inbox import Together
from tests.sdk.processing.drained import drained
from tests.sdk.world import NOW, SECRET, World, deliver

UNLIMITED = {"rate_per_minute": None}


def event_of(number: int) -> Event:
    return Event(str(number), "t", {}, b"{}", [], int(NOW * 1e6))


class Batches:
    """A handler that notes each call; `spoil` may raise or give something for it."""

    def __init__(self, spoil: Callable[[list[Event]], Any] = lambda events: None) -> None:
        self.calls: list[list[str]] = []
        self._spoil = spoil

    def __call__(self, events: list[Event]) -> Any:
        self.calls.append([event.id for event in events])
        return self._spoil(events)


def receiver_of(
    world: World, handler: Batches, *, size: int = 100, wait_s: float = 5.0, **more: Any
) -> Receiver:
    receiver = world.inbox(handle=None, profile=UNLIMITED, **more)
    receiver.batch("*", size=size, wait_s=wait_s)(handler)
    return receiver


def send(receiver: Receiver, numbers: range) -> None:
    for number in numbers:
        assert deliver(receiver, f"evt_{number}").status == 200


def ids(numbers: range) -> list[str]:
    return [f"evt_{number}" for number in numbers]


def ends(world: World) -> dict[str, str]:
    """How each event ended, which may be noted before it was noted as accepted."""
    return {each["event_id"]: each["outcome"] for each in world.records() if each["outcome"] != "accepted"}


@given(st.integers(1, 70), st.data())
def test_however_many_events_are_poison_the_others_are_done(number: int, data: st.DataObject) -> None:
    poison = data.draw(st.sets(st.integers(0, number - 1)))

    def handle(events: list[Event]) -> None:
        if any(int(event.id) in poison for event in events):
            raise RuntimeError("spoilt")

    results = results_of(handle, [event_of(one) for one in range(number)])

    assert {int(event_id) for event_id, error in results.items() if error is not None} == poison
    assert len(results) == number


def test_a_full_batch_leaves_at_once_and_the_rest_in_its_time(world: World) -> None:
    """Bug of a guide: what is left over by a full batch has no timer and waits for ever."""
    handler = Batches()
    receiver = receiver_of(world, handler, size=3)

    send(receiver, range(4))
    world.until(lambda: len(handler.calls) == 1)
    world.clock.now += 5
    drained(world, receiver)

    assert handler.calls == [ids(range(3)), ids(range(3, 4))]
    assert world.outcomes().count("succeeded") == 4


def test_less_than_a_batch_waits_for_more(world: World) -> None:
    handler = Batches()
    receiver = receiver_of(world, handler)
    send(receiver, range(2))
    world.clock.now += 4.9
    assert receiver.inbox is not None
    assert receiver.inbox.wait_s() == pytest.approx(0.1)

    send(receiver, range(2, 3))
    world.clock.now += 0.2
    drained(world, receiver)

    assert handler.calls == [ids(range(3))]


def test_one_poison_event_neither_blocks_nor_repeats_its_batch(world: World) -> None:
    """Bug of a guide: the whole batch is queued again, so one poison event blocks all for ever."""

    def spoil(events: list[Event]) -> None:
        if any(event.id == "evt_5" for event in events):
            raise ValueError("poison")

    handler = Batches(spoil)
    receiver = receiver_of(world, handler, size=8)
    send(receiver, range(8))
    drained(world, receiver)

    outcomes = Counter((record["event_id"], record["outcome"]) for record in world.records())
    assert {event_id for event_id, outcome in outcomes if outcome == "succeeded"} == set(ids(range(8))) - {
        "evt_5"
    }
    assert outcomes["evt_5", "failed"] == 2
    assert outcomes["evt_5", "dead_lettered"] == 1
    assert handler.calls[1:3] == [ids(range(4)), ids(range(4, 8))]


def test_a_handler_may_name_what_failed(world: World) -> None:
    def spoil(events: list[Event]) -> None:
        raise BatchFailed({"evt_1": Permanent("no such customer")})

    handler = Batches(spoil)
    receiver = receiver_of(world, handler, size=3)
    send(receiver, range(3))
    drained(world, receiver)

    assert handler.calls == [ids(range(3))], "nothing was handed over twice"
    assert ends(world) == {"evt_0": "succeeded", "evt_1": "dead_lettered", "evt_2": "succeeded"}


def test_what_failed_may_be_returned_as_well_and_told_as_a_text() -> None:
    results = results_of(lambda events: BatchFailed({"1": "declined"}), [event_of(0), event_of(1)])

    assert results["0"] is None
    assert str(results["1"]) == "declined"


def test_a_failure_of_an_event_that_is_not_in_the_batch_is_not_believed() -> None:
    results = results_of(lambda events: BatchFailed({"elsewhere": "?"}), [event_of(0), event_of(1)])

    assert [type(error) for error in results.values()] == [BatchFailed, BatchFailed]


def test_a_database_that_is_away_fails_the_batch_as_one_call(world: World) -> None:
    def away_once(events: list[Event]) -> None:
        if events[0].attempt == 1:
            raise TimeoutError

    handler = Batches(away_once)
    receiver = receiver_of(world, handler, size=8)
    send(receiver, range(8))
    drained(world, receiver)

    assert handler.calls == [ids(range(8))] * 2
    assert Counter(world.outcomes()) == {"accepted": 8, "failed": 8, "succeeded": 8}


def test_a_poison_event_that_looks_like_a_timeout_is_found_by_its_second_attempt(world: World) -> None:
    def spoil(events: list[Event]) -> None:
        if any(event.id == "evt_2" for event in events):
            raise TimeoutError

    receiver = receiver_of(world, Batches(spoil), size=4)
    send(receiver, range(4))
    drained(world, receiver)

    ended = {f"evt_{number}": "succeeded" for number in (0, 1, 3)}
    assert ends(world) == {**ended, "evt_2": "dead_lettered"}


def test_an_older_version_in_a_batch_waits_for_the_newer_one(world: World) -> None:
    handler = Batches()
    receiver = world.inbox(handle=None, profile={"resource_path": "data.id", "version_path": "data.v"})
    receiver.batch("*", size=3)(handler)
    for number, version in enumerate([1, 3, 2]):
        deliver(receiver, f"evt_{number}", data={"data": {"id": 7, "v": version}})
    drained(world, receiver)

    assert handler.calls == [["evt_0", "evt_1"]]
    assert ends(world) == {"evt_0": "succeeded", "evt_1": "succeeded", "evt_2": "stale"}


def test_a_batch_is_one_event_to_the_breaker(world: World) -> None:
    def spoil(events: list[Event]) -> None:
        raise RuntimeError

    patient = RetryPolicy(uniform=lambda low, high: 10.0)
    receiver = receiver_of(world, Batches(spoil), size=8, breaker=BreakerPolicy(failures=2), retry=patient)
    send(receiver, range(8))
    world.until(lambda: world.outcomes().count("failed") == 8)
    assert receiver.breaker.state == "closed"

    world.clock.now += 10
    world.until(lambda: receiver.breaker.state == "open")


def test_a_batch_needs_an_inbox_and_a_size(world: World) -> None:
    """Bug of a guide: its batches answer 201 while they are in memory alone."""
    with pytest.raises(ValueError, match="inbox"):
        world.receiver(handle=None).batch("*")
    with pytest.raises(ValueError, match="size"):
        world.inbox(handle=None).batch("*", size=0)


PROGRAM = """
import os, sys, time
from hookvitals import Receiver, RetryPolicy
receiver = Receiver("acme", endpoint="orders", system="standard", secrets=[sys.argv[2]],
                    state_path=sys.argv[1], inbox=True, retry=RetryPolicy(uniform=lambda low, high: 0.0))

@receiver.batch("*", size=5, wait_s=0)
def die_of_poison(events):
    if any(event.id == "evt_3" for event in events):
        os.kill(os.getpid(), 9)
    print(*(event.id for event in events), flush=True)

receiver.start()
time.sleep(3600)
"""


@pytest.mark.faults
def test_an_event_that_kills_its_process_dies_alone_in_the_end(world: World, tmp_path: Path) -> None:
    world.clock.now -= 100_000_000  # before the clock of the other process
    waiting = receiver_of(world, Batches(), size=5, retry=RetryPolicy(attempts=3))
    assert waiting.inbox is not None
    for number in range(5):
        event = Event(f"evt_{number}", "t", {}, b"{}", [], int(world.clock() * 1e6))
        waiting.inbox.put(f"k{number}", event, keep_us=10**15, together=Together("*", 5, 0))
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "state.db"), SECRET]
    done: list[str] = []
    for _ in range(4):
        if len(done) == 4:
            break
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            ends = threading.Timer(20, process.kill)
            ends.start()
            while len(done) < 4 and (line := process.stdout.readline()):
                done += line.split()
            ends.cancel()
            process.kill()

    assert sorted(done) == ["evt_0", "evt_1", "evt_2", "evt_4"]
