"""Events of one resource are worked one at a time: asking whether something newer was processed and being
processed are one step to everybody else. A guide asks in one step and writes in another (practice 14)."""

import threading
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Event, MemoryState, Receiver, SqliteState
from hookvitals.state import State
from hookvitals.turns import Turns
from tests.sdk.world import Answered, Clock, World, deliver

ORDERED = {"resource_path": "data.id", "version_path": "data.v"}


@pytest.fixture(params=["memory", "sqlite"])
def receiver(request: pytest.FixtureRequest, world: World) -> Receiver:
    kept = {"state_path": str(world.directory / "state.db")} if request.param == "sqlite" else {}
    return world.receiver(profile={**ORDERED, "rate_per_minute": None}, **kept)


def send(receiver: Receiver, event_id: str, version: int, resource: Any = 1) -> Answered:
    return deliver(receiver, event_id, data={"data": {"id": resource, "v": version}})


def test_an_older_event_waits_for_the_newer_one_at_work_and_is_stale_then(
    world: World, receiver: Receiver
) -> None:
    met: list[Answered] = []
    world.behave = lambda event: met.append(send(receiver, "evt_1", 1))

    assert send(receiver, "evt_2", 2).status == 200
    world.behave = lambda event: None

    assert (met[0].status, met[0].headers["Retry-After"]) == (503, "5")
    assert send(receiver, "evt_1", 1).status == 200
    assert [event.id for event in world.handled] == ["evt_2"]
    assert world.outcomes() == ["rejected", "succeeded", "stale"]


def test_of_all_versions_at_once_none_is_written_after_a_newer_one(world: World, receiver: Receiver) -> None:
    written: list[int] = []
    world.behave = lambda event: written.append(event.data["data"]["v"])
    together = threading.Barrier(8)

    def sender(version: int) -> None:
        together.wait(10)
        for _ in range(5000):
            if send(receiver, f"evt_{version}", version).status == 200:
                return

    threads = [threading.Thread(target=sender, args=(version,)) for version in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert written == sorted(written)
    assert written[-1] == 7


def test_other_resources_do_not_wait(world: World, receiver: Receiver) -> None:
    met: list[Answered] = []

    def work(event: Event) -> None:
        if event.id == "evt_1":
            met.append(send(receiver, "evt_2", 1, resource=2))

    world.behave = work
    send(receiver, "evt_1", 1)

    assert met[0].status == 200


def test_after_a_failure_the_next_has_its_turn_at_once(world: World, receiver: Receiver) -> None:
    def fail(event: Event) -> None:
        if event.id == "evt_2":
            raise RuntimeError

    world.behave = fail

    assert send(receiver, "evt_2", 2).status == 500
    assert send(receiver, "evt_1", 1).status == 200


def states(tmp_path: Path, clock: Clock) -> list[State]:
    return [MemoryState(clock), SqliteState(str(tmp_path / "s.db"), clock)]


def test_a_turn_ends_with_its_lease_and_its_late_owner_ends_nobody_elses(tmp_path: Path) -> None:
    clock = Clock()
    for state in states(tmp_path, clock):
        turns = Turns(state, 30.0, lambda: int(clock() * 1e6))
        late = turns.take("r")
        assert late is not None
        assert turns.take("r") is None

        clock.now += 31
        other = turns.take("r")
        assert other is not None
        turns.give_back("r", late)

        assert turns.take("r") is None
        turns.give_back("r", other)
        assert turns.take("r") is not None
        state.close()
