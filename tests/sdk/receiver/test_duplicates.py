"""One event, one handling: copies that come later, at the same time, after a failure, after a crash."""

import multiprocessing
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Event, Receiver
from tests.sdk.world import NOW, SECRET, URL, Answered, World, deliver, request


@pytest.fixture(params=["memory", "sqlite"])
def kept(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """Settings of a receiver whose state is in memory, or in a file."""
    return {"state_path": str(world.directory / "state.db")} if request.param == "sqlite" else {}


def test_a_second_copy_is_acknowledged_and_not_handled_again(world: World, kept: dict[str, Any]) -> None:
    receiver = world.receiver(**kept)

    assert [deliver(receiver).status for _ in range(3)] == [200, 200, 200]
    assert len(world.handled) == 1
    assert world.outcomes() == ["succeeded", "duplicate", "duplicate"]


def test_a_copy_is_known_after_a_restart(world: World) -> None:
    path = str(world.directory / "state.db")
    first = world.receiver(state_path=path)
    deliver(first)
    first.close()

    deliver(world.receiver(state_path=path))

    assert len(world.handled) == 1


def test_an_event_is_remembered_as_long_as_the_sender_may_repeat_it(
    world: World, kept: dict[str, Any]
) -> None:
    receiver = world.receiver(profile={"retry_horizon_s": 3600.0}, **kept)
    deliver(receiver)
    world.clock.now += 3599
    deliver(receiver, at=world.clock.now)
    assert len(world.handled) == 1

    world.clock.now += 2
    deliver(receiver, at=world.clock.now)

    assert len(world.handled) == 2


def test_endpoints_that_share_a_file_do_not_take_each_others_events(world: World) -> None:
    path = str(world.directory / "state.db")
    for endpoint, event_id in (("a", "b/c"), ("a/b", "c"), ("a", "c")):
        assert deliver(world.receiver(endpoint=endpoint, state_path=path), event_id).status == 200

    assert len(world.handled) == 3


def test_a_failure_is_told_500_and_the_next_copy_runs_as_attempt_2(
    world: World, kept: dict[str, Any]
) -> None:
    def fail_once(event: Event) -> None:
        if event.attempt == 1:
            raise LookupError("no such invoice")

    world.behave = fail_once
    receiver = world.receiver(**kept)

    answers = [deliver(receiver) for _ in range(3)]

    assert [answer.status for answer in answers] == [500, 200, 200]
    assert [event.attempt for event in world.handled] == [1, 2]
    failed, succeeded, duplicate = world.records()
    assert (failed["outcome"], failed["attempt"], failed["http_status"]) == ("failed", 1, 500)
    assert failed["error_class"] == "LookupError"
    assert failed["error_message"] == "no such invoice"
    assert "no such invoice" in failed["error_stack"]
    assert answers[0].problem["error_id"] == failed["record_id"]
    assert (succeeded["outcome"], succeeded["attempt"]) == ("succeeded", 2)
    assert duplicate["outcome"] == "duplicate"


def test_a_copy_that_meets_one_at_work_is_told_503_and_when_to_come_back(
    world: World, kept: dict[str, Any]
) -> None:
    receiver = world.receiver(**kept)
    met: list[Answered] = []
    world.behave = lambda event: met.append(deliver(receiver))

    assert deliver(receiver).status == 200

    (busy,) = met
    assert (busy.status, busy.headers["Retry-After"]) == (503, "5")
    assert busy.problem["code"] == "busy"
    assert len(world.handled) == 1


def test_after_a_crash_the_next_copy_runs_once_the_lease_has_ended(world: World) -> None:
    receiver = world.receiver(state_path=str(world.directory / "state.db"), lease_s=30.0)
    world.crash_within(receiver)

    world.clock.now += 29
    assert deliver(receiver, at=world.clock.now).status == 503
    world.clock.now += 2
    assert deliver(receiver, at=world.clock.now).status == 200
    assert [event.attempt for event in world.handled] == [2]


def test_of_many_copies_at_once_one_is_handled(world: World, kept: dict[str, Any]) -> None:
    receiver = world.receiver(profile={"rate_per_minute": None}, **kept)
    together = threading.Barrier(16)
    statuses: list[int] = []

    def copy() -> None:
        together.wait(10)
        statuses.append(deliver(receiver).status)

    threads = [threading.Thread(target=copy) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(world.handled) == 1
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    outcomes = Counter(world.outcomes())
    assert (outcomes["succeeded"], outcomes["duplicate"]) == (1, 15)


def test_processes_on_one_file_handle_each_event_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:  # a Pool waits for the dead
        told = list(pool.map(_handle_all, [str(tmp_path)] * 3, timeout=60))

    handled = Counter((tmp_path / "handled").read_text().split())
    assert handled == Counter({f"evt_{number}": 1 for number in range(20)})
    assert {status for statuses in told for status in statuses} <= {200, 503}


def _handle_all(directory: str) -> list[int]:
    """In a process of its own: sends itself the same 20 events as the others do."""
    receiver = Receiver(
        "acme",
        endpoint="orders",
        secrets=[SECRET],
        system="standard",
        state_path=f"{directory}/state.db",
        now=lambda: NOW,
    )

    @receiver.on("*")
    def handle(event: Event) -> None:
        with open(f"{directory}/handled", "a") as file:
            file.write(f"{event.id}\n")

    return [Answered(receiver.handle("POST", URL, *request(f"evt_{number}"))).status for number in range(20)]


def test_an_own_fault_is_told_500_and_recorded_and_nothing_is_lost(world: World) -> None:
    path = str(world.directory / "state.db")
    receiver = world.receiver(state_path=path)
    receiver.state.close()

    answer = deliver(receiver)

    assert answer.status == 500
    assert world.handled == []
    (record,) = world.records()
    assert (record["outcome"], record["event_id"], record["http_status"]) == ("failed", "evt_1", 500)
    assert deliver(world.receiver(state_path=path)).status == 200
    assert len(world.handled) == 1


def test_a_success_that_cannot_be_remembered_is_still_a_success(world: World) -> None:
    receiver = world.receiver(state_path=str(world.directory / "state.db"))
    world.behave = lambda event: receiver.state.close()

    answer = deliver(receiver)

    assert answer.status == 200
    assert world.outcomes() == ["succeeded"]
