"""Several threads and processes at one inbox: everything once, and one event of a resource at a time."""

import asyncio
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from hookvitals import Event, SqliteState
from hookvitals.inbox import Inbox
from hookvitals.slots import Slot
from tests.sdk.processing.drained import drained
from tests.sdk.world import NOW, SECRET, World, deliver

ORDERED = {"resource_path": "data.id", "rate_per_minute": None}


def about(resource: object) -> dict[str, object]:
    return {"data": {"id": resource}}


class Together:
    """What ran at the same time. Used as a handler; `hold` keeps it inside until it is set."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.inside: Counter[object] = Counter()
        self.most: Counter[object] = Counter()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        resource = event.fields.get("resource")
        with self._lock:
            self.inside[resource] += 1
            self.most[resource] = max(self.most[resource], self.inside[resource])
        assert self.hold.wait(10)
        with self._lock:
            self.inside[resource] -= 1


def test_threads_work_different_resources_at_once(world: World) -> None:
    together = Together()
    world.behave = together
    receiver = world.inbox(workers=3, profile=ORDERED)
    for number in range(5):
        deliver(receiver, f"evt_{number}", data=about(number))

    world.until(lambda: sum(together.inside.values()) == 3)
    together.hold.set()
    drained(world, receiver)

    assert sorted(event.id for event in world.handled) == [f"evt_{number}" for number in range(5)]


def test_two_events_of_one_resource_never_run_at_once_and_keep_their_order(world: World) -> None:
    """In two receivers on one file, as in two processes, with four threads each."""
    together = Together()
    together.hold.set()
    world.behave = together
    receivers = [world.inbox(workers=4, profile=ORDERED) for _ in range(2)]
    for number in range(60):
        deliver(receivers[number % 2], f"evt_{number:02}", data=about(number % 3))
    drained(world, receivers[0])

    assert together.most == {"0": 1, "1": 1, "2": 1}
    for resource in together.most:
        ids = [event.id for event in world.handled if event.fields["resource"] == resource]
        assert ids == sorted(ids)
        assert len(ids) == 20


def test_a_held_resource_keeps_nobody_else_waiting_and_nobody_spinning(tmp_path: Path) -> None:
    now_us = int(NOW * 1e6)
    inbox = Inbox(SqliteState(str(tmp_path / "s.db")), "here", lambda: now_us)
    for number, resource in enumerate(["a", "a", "b"]):
        event = Event(f"evt_{number}", "t", {}, b"{}", [], now_us, fields={"resource": resource})
        inbox.put(f"k{number}", event, keep_us=10**9)

    first, second, third = inbox.take("0.0"), inbox.take("0.1"), inbox.take("0.2")

    assert first is not None
    assert second is not None
    assert (first.event.id, second.event.id, third) == ("evt_0", "evt_2", None)
    assert inbox.wait_s() is None, "what waits for a resource is not due"
    inbox.finish(first, now_us)
    freed = inbox.take("0.2")
    assert freed is not None
    assert freed.event.id == "evt_1"


def test_a_slot_is_held_until_it_is_left(tmp_path: Path) -> None:
    one, other = Slot(str(tmp_path / "lock")), Slot(str(tmp_path / "lock"))

    assert [one.take(), other.take()] == [0, 1]
    with other.abandoned(0) as abandoned:
        assert not abandoned
    one.leave()
    with other.abandoned(0) as abandoned:
        assert abandoned
        assert one.take() == 2, "nobody comes in while it is cleared away"
    one.leave()
    other.leave()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_whatever_a_handler_raises_ends_its_attempt_and_not_the_thread(
    world: World, kind: type[BaseException]
) -> None:
    """No other request comes that could start another: the event would wait for ever."""

    def leave_once(event: Event) -> None:
        if event.attempt == 1:
            raise kind  # as a handler may that was made for a script

    world.behave = leave_once
    receiver = world.inbox()
    deliver(receiver)

    world.until(lambda: world.outcomes() == ["accepted", "failed", "succeeded"])
    assert [event.attempt for event in world.handled] == [1, 2]


def test_an_event_that_could_not_be_looked_at_is_not_left_in_anybodys_hands(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = world.inbox(profile={"resource_path": "data.id", "version_path": "data.v"})
    broken: list[Callable[[str], float | None]] = [receiver.state.version]

    def away_once(resource: str) -> float | None:
        if len(broken) == 1:
            broken.append(broken[0])
            raise sqlite3.OperationalError("disk I/O error")
        return broken[0](resource)

    receiver.state.version = away_once  # type: ignore[method-assign]
    deliver(receiver, data={"data": {"id": 1, "v": 1}})
    drained(world, receiver)

    assert world.outcomes() == ["accepted", "succeeded"]
    assert [event.attempt for event in world.handled] == [1], "nothing was tried the first time"
    assert "could not be worked" in caplog.text


def test_workers_must_be_one_at_least(world: World) -> None:
    with pytest.raises(ValueError, match="workers"):
        world.inbox(workers=0)


PROGRAM = """
import sys, time
from hookvitals import Receiver
receiver = Receiver("acme", endpoint="orders", system="standard", secrets=[sys.argv[2]],
                    state_path=sys.argv[1], inbox=True)

@receiver.on("*")
def hang(event):
    print(event.id, flush=True)
    time.sleep(3600)

receiver.start()
time.sleep(3600)
"""


@pytest.mark.faults
def test_what_a_killed_process_had_in_hand_is_taken_up_by_one_that_lives(world: World) -> None:
    world.clock.now = time.time()  # the other process has no clock of ours
    living = world.inbox()
    assert living.inbox is not None
    event = Event("evt_1", "t", {}, b"{}", [], int(world.clock.now * 1e6))
    living.inbox.put("k", event, keep_us=10**9)
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(world.directory / "state.db"), SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dying:
        try:
            assert dying.stdout is not None
            assert dying.stdout.readline() == "evt_1\n"
            living.start()
            assert deliver(living, "evt_2", at=world.clock.now).status == 200
            world.until(lambda: len(world.handled) == 1)
        finally:
            dying.kill()
    drained(world, living)

    assert [(event.id, event.attempt) for event in world.handled] == [("evt_2", 1), ("evt_1", 2)]


def test_the_letter_of_an_event_that_killed_its_process_tells_of_the_attempts_that_were_made(
    world: World,
) -> None:
    """It is noted before the event leaves the inbox, so a kill in between has it noted again."""
    receiver = world.inbox()
    inbox = receiver.inbox
    assert inbox is not None
    inbox.put("k", Event("evt_1", "t", {}, b"{}", [], int(NOW * 1e6)), keep_us=10**12)
    for _ in range(4):
        assert inbox.take("9.0") is not None
        inbox.free("9.")  # its process is gone

    receiver.start()
    world.until(lambda: inbox.depth() == 0)

    (letter,) = world.records()
    assert (letter["outcome"], letter["attempt"]) == ("dead_lettered", 3)
    assert letter["error_class"] == "hookvitals.attempts.ProcessDied"
    assert world.handled == []
