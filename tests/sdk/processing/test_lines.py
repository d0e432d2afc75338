"""Events of one resource when one of them fails: where versions tell their order later ones pass and
supersede it, where only their arrival does they wait, and no poison event holds up its resource for ever."""

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookvitals import BreakerPolicy, Event, Receiver, RetryPolicy, SqliteState
from hookvitals.inbox import Inbox, Work
from tests.sdk.processing.drained import drained
from tests.sdk.world import NOW, World, deliver

UNVERSIONED = {"resource_path": "data.id"}
VERSIONED = {**UNVERSIONED, "version_path": "data.v"}
PATIENT = RetryPolicy(uniform=lambda low, high: 10.0)


def send(receiver: Receiver, event_id: str, resource: str, version: int = 0) -> None:
    assert deliver(receiver, event_id, data={"data": {"id": resource, "v": version}}).status == 200


def handled(world: World) -> list[tuple[str, int]]:
    return [(event.id, event.attempt) for event in world.handled]


def fail_the_first_time(event: Event) -> None:
    if event.id == "evt_1" and event.attempt == 1:
        raise RuntimeError


def fail_always(event: Event) -> None:
    if event.id == "evt_1":
        raise RuntimeError


def until_nothing_is_free(world: World, receiver: Receiver, depth: int) -> None:
    """Waits until what is left in the inbox waits for a time, and is so much."""
    inbox = receiver.inbox
    assert inbox is not None
    world.until(lambda: inbox.depth() == depth and (inbox.wait_s() or 0.0) > 0 and not inbox.slots())


def test_without_versions_an_event_waits_for_the_earlier_one_that_failed(world: World) -> None:
    """practice 14: nothing else would tell that the earlier one came too late."""
    world.behave = fail_the_first_time
    receiver = world.inbox(profile=UNVERSIONED, retry=PATIENT)
    send(receiver, "evt_1", "one")
    send(receiver, "evt_2", "one")
    send(receiver, "evt_3", "another")
    until_nothing_is_free(world, receiver, depth=2)
    assert handled(world) == [("evt_1", 1), ("evt_3", 1)]

    world.clock.now += 10
    drained(world, receiver)

    assert handled(world)[2:] == [("evt_1", 2), ("evt_2", 1)]


def test_a_poison_event_holds_up_its_resource_until_its_attempts_are_used_up(world: World) -> None:
    """Bug of a guide: one poison event blocks all for ever."""
    world.behave = fail_always
    receiver = world.inbox(profile=UNVERSIONED)
    send(receiver, "evt_1", "one")
    send(receiver, "evt_2", "one")
    drained(world, receiver)

    assert handled(world) == [("evt_1", 1), ("evt_1", 2), ("evt_1", 3), ("evt_2", 1)]
    worked = [outcome for outcome in world.outcomes() if outcome != "accepted"]  # the second comes meanwhile
    assert worked == ["failed", "failed", "dead_lettered", "succeeded"]


def test_with_versions_a_newer_event_passes_and_the_one_that_failed_is_stale_then(world: World) -> None:
    """practice 14"""
    world.behave = fail_the_first_time
    receiver = world.inbox(profile=VERSIONED, retry=PATIENT)
    send(receiver, "evt_1", "one", 1)
    send(receiver, "evt_2", "one", 2)
    until_nothing_is_free(world, receiver, depth=1)
    world.clock.now += 10
    drained(world, receiver)

    assert handled(world) == [("evt_1", 1), ("evt_2", 1)]
    assert world.outcomes()[-1] == "stale"


def test_events_of_no_resource_wait_for_nobody(world: World) -> None:
    world.behave = fail_the_first_time
    receiver = world.inbox(retry=PATIENT)
    send(receiver, "evt_1", "one")
    send(receiver, "evt_2", "one")
    until_nothing_is_free(world, receiver, depth=1)

    assert handled(world) == [("evt_1", 1), ("evt_2", 1)]


def test_a_batch_that_failed_as_one_is_tried_again_in_the_order_it_came(world: World) -> None:
    done: list[str] = []

    def away_once(events: list[Event]) -> None:
        if events[0].attempt == 1:
            raise TimeoutError
        done.extend(event.id for event in events)

    receiver = world.inbox(
        handle=None, profile=UNVERSIONED, retry=PATIENT, breaker=BreakerPolicy(failures=99)
    )
    receiver.batch("*", size=4)(away_once)
    for number in range(4):
        send(receiver, f"evt_{number}", "one")
    until_nothing_is_free(world, receiver, depth=4)
    world.clock.now += 10
    drained(world, receiver)

    assert done == [f"evt_{number}" for number in range(4)]


@pytest.mark.parametrize("late", ["waiting", "passing"])
def test_a_replay_stands_in_no_line(tmp_path: Path, late: str) -> None:
    """An operator decided that it should run: it is of long ago, and what came since is worked or was."""
    inbox = Inbox(SqliteState(str(tmp_path / "s.db")), "here", lambda: int(NOW * 1e6))
    replay = {
        "first": "item_1" if late == "waiting" else None,
        "second": "item_1" if late == "passing" else None,
    }
    for name, replay_id in replay.items():
        event = Event(
            name, "t", {}, b"{}", [], int(NOW * 1e6), replay_id=replay_id, fields={"resource": "one"}
        )
        inbox.put(name, event, keep_us=10**9)
    first = inbox.take()
    assert first is not None
    inbox.postpone(first, 10.0)

    second = inbox.take()
    assert second is not None
    assert second.event.id == "second"


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=12),
    st.lists(st.integers(0, 20), min_size=1, max_size=8),
)
def test_whatever_fails_each_resource_ends_in_the_order_it_came(
    script: list[tuple[str, int]], waits: list[int]
) -> None:
    """script: the resource of each event, and how often it fails; the third time it is given up."""
    ended: list[int] = []
    now_us, tries = int(NOW * 1e6), 0
    with tempfile.TemporaryDirectory() as directory:
        state = SqliteState(f"{directory}/s.db")
        inbox = Inbox(state, "here", lambda: now_us)
        for number, (resource, _) in enumerate(script):
            event = Event(str(number), "t", {}, b"{}", [], 0, fields={"resource": resource})
            inbox.put(str(number), event, keep_us=10**15)
        while (wait_s := inbox.wait_s()) is not None:
            now_us += math.ceil(wait_s * 1e6)
            work = inbox.take()
            assert isinstance(work, Work)
            if work.event.attempt > script[int(work.event.id)][1]:
                inbox.finish(work, 10**18)
                ended.append(int(work.event.id))
            elif work.event.attempt == 3:
                inbox.give_up(work)
                ended.append(int(work.event.id))
            else:
                inbox.postpone(work, float(waits[tries % len(waits)]))
                tries += 1
        state.close()

    assert sorted(ended) == list(range(len(script))), "nothing waits for ever"
    for resource in "abc":
        its = [number for number in ended if script[number][0] == resource]
        assert its == sorted(its)
