"""Acknowledge first, work later: attempts, waits, dead letters, and what a restart finds."""

import base64
import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Event, Receiver, RetryPolicy, SqliteState
from hookvitals.inbox import Inbox
from tests.sdk.world import NOW, SECRET, URL, Answered, Clock, World, deliver, request


def wait(hold: threading.Event) -> None:
    assert hold.wait(10)


def emptied(world: World, receiver: Receiver) -> None:
    """Waits until the inbox has nothing left."""
    inbox = receiver.inbox
    assert inbox is not None
    world.until(lambda: inbox.depth() == 0)


def test_the_answer_leaves_before_the_handler_has_run(world: World) -> None:
    answered = threading.Event()
    seen: list[bool] = []
    world.behave = lambda event: seen.append(answered.wait(10))
    receiver = world.inbox()

    assert deliver(receiver).status == 200
    answered.set()
    emptied(world, receiver)

    assert seen == [True]
    accepted, succeeded = world.records()
    assert (accepted["outcome"], accepted["http_status"]) == ("accepted", 200)
    assert "ack_ms" in accepted
    assert "attempt" not in accepted
    assert (succeeded["outcome"], succeeded["attempt"]) == ("succeeded", 1)
    assert not {"http_status", "ack_ms"} & set(succeeded)
    assert {"queue_ms", "process_ms", "latency_ms"} <= set(succeeded)
    assert succeeded["received_at"] == accepted["received_at"] == int(NOW * 1e6)


def test_a_handler_sees_the_event_as_it_came(world: World) -> None:
    receiver = world.inbox(capture_headers=["X-Tenant"])

    deliver(receiver, data={"a": "ü"}, more=[("X-Tenant", "t1"), ("Cookie", "c")])
    emptied(world, receiver)

    (event,) = world.handled
    assert (event.id, event.type, event.data["a"]) == ("evt_1", "invoice.paid", "ü")
    assert dict(event.headers)["x-tenant"] == "t1"
    assert "cookie" not in dict(event.headers)
    assert event.body == request(data={"a": "ü"})[1]


def test_a_copy_of_a_waiting_or_finished_event_is_a_duplicate(world: World) -> None:
    hold = threading.Event()
    world.behave = lambda event: wait(hold)
    receiver = world.inbox()

    assert [deliver(receiver).status for _ in range(3)] == [200, 200, 200]
    hold.set()
    emptied(world, receiver)
    assert deliver(receiver).status == 200

    assert len(world.handled) == 1
    assert sorted(world.outcomes()) == ["accepted", "duplicate", "duplicate", "duplicate", "succeeded"]


def test_three_attempts_with_doubling_bounds_then_a_dead_letter_with_its_capture(world: World) -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return 0.0

    def fail(event: Event) -> None:
        raise ValueError(f"attempt {event.attempt} failed")

    world.behave = fail
    receiver = world.inbox(retry=RetryPolicy(uniform=uniform))
    headers, body = request()

    assert Answered(receiver.handle("POST", URL, headers, body)).status == 200
    emptied(world, receiver)

    assert bounds == [(0.0, 1.0), (0.0, 2.0)]
    accepted, *attempts = world.records()
    assert accepted["outcome"] == "accepted"
    assert [(record["outcome"], record["attempt"]) for record in attempts] == [
        ("failed", 1),
        ("failed", 2),
        ("dead_lettered", 3),
    ]
    assert [record["error_message"] for record in attempts][2] == "attempt 3 failed"
    assert [set(record) & {"capture"} for record in attempts] == [set(), set(), {"capture"}]
    assert base64.b64decode(attempts[2]["capture"]["body"]) == body
    assert attempts[2]["capture"]["headers"]["webhook-id"] == "evt_1"


def test_an_event_waits_until_it_is_due(tmp_path: Path) -> None:
    clock = Clock()
    inbox = Inbox(SqliteState(str(tmp_path / "s.db")), "here", lambda: int(clock() * 1e6))
    event = Event("evt_1", "t", {}, b"{}", [], int(NOW * 1e6))
    inbox.put("k", event, keep_us=10**9)
    work = inbox.take()
    assert work is not None
    assert inbox.depth() == 1

    inbox.postpone(work, 10.0)

    clock.now += 9.9
    assert inbox.take() is None
    clock.now += 0.2
    again = inbox.take()
    assert again is not None
    assert again.event.attempt == 2
    assert inbox.oldest_age_s() == pytest.approx(10.1)


def test_a_retry_that_is_due_soon_is_not_slept_over(world: World) -> None:
    """Real time on purpose: the wait is a tenth of the worker's own idle pause. The shortest of four counts,
    for other work shares this machine."""
    started: list[float] = []

    def fail_once(event: Event) -> None:
        started.append(time.monotonic())
        if event.attempt == 1:
            raise RuntimeError

    world.behave = fail_once
    receiver = world.inbox(retry=RetryPolicy(uniform=lambda low, high: 0.05), now=time.time)

    for number in range(4):
        deliver(receiver, f"evt_{number}", at=time.time())
        emptied(world, receiver)

    waits = [second - first for first, second in zip(started[::2], started[1::2], strict=True)]
    assert min(waits) >= 0.04
    assert min(waits) < 0.4


def test_events_are_worked_in_the_order_they_came(world: World) -> None:
    hold = threading.Event()
    world.behave = lambda event: wait(hold)
    receiver = world.inbox()
    for number in range(20):
        deliver(receiver, f"evt_{number}")
    hold.set()

    emptied(world, receiver)

    assert [event.id for event in world.handled] == [f"evt_{number}" for number in range(20)]


def test_what_an_earlier_process_left_is_worked_after_the_start(world: World) -> None:
    receiver = world.inbox(handle=None)
    receiver.on("*")(lambda event: None)
    assert receiver.inbox is not None
    receiver.inbox.put("k", Event("evt_0", "t", {}, b"{}", [], int(NOW * 1e6)), keep_us=10**9)
    receiver.close()

    again = world.inbox()
    again.start()
    emptied(world, again)

    assert [event.id for event in world.handled] == ["evt_0"]


def test_two_receivers_on_one_file_each_work_their_own_events(world: World) -> None:
    by: list[tuple[str, str]] = []
    receivers = {}
    for endpoint in ("a", "b"):
        receivers[endpoint] = world.inbox(endpoint=endpoint, handle=None)

        def handle(event: Event, endpoint: str = endpoint) -> None:
            by.append((endpoint, event.id))

        receivers[endpoint].on("*")(handle)

    for endpoint, receiver in receivers.items():
        deliver(receiver, f"evt_{endpoint}")
    for receiver in receivers.values():
        emptied(world, receiver)

    assert sorted(by) == [("a", "evt_a"), ("b", "evt_b")]
    assert sorted((r["endpoint"], r["event_id"]) for r in world.records() if r["outcome"] == "succeeded") == [
        ("a", "evt_a"),
        ("b", "evt_b"),
    ]


def test_processes_on_one_inbox_work_each_event_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_receive, args=(str(tmp_path), number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    handled = (tmp_path / "handled").read_text().split()
    assert sorted(handled) == sorted(f"evt_{number}" for number in range(15))


def _receive(directory: str, own: int) -> None:
    """In a process of its own: accepts five events, and leaves when all fifteen were handled by somebody."""
    receiver = Receiver(
        "acme",
        endpoint="orders",
        secrets=[SECRET],
        system="standard",
        state_path=f"{directory}/state.db",
        inbox=True,
    )

    @receiver.on("*")
    def handle(event: Event) -> None:
        with open(f"{directory}/handled", "a") as file:
            file.write(f"{event.id}\n")

    for number in range(own * 5, own * 5 + 5):
        assert deliver(receiver, f"evt_{number}", at=time.time()).status == 200
    for _ in range(1000):
        path = Path(directory, "handled")
        if path.exists() and len(path.read_text().split()) == 15:
            break
        time.sleep(0.02)
    receiver.close()


def test_the_depth_and_age_of_the_inbox_are_sampled(world: World) -> None:
    from hookvitals import Shipper
    from tests.sdk.collector import KEY

    hold = threading.Event()
    world.behave = lambda event: wait(hold)
    sampling = Shipper(world.url, KEY, batch_delay_s=0.05, sample_every_s=0.05)
    receiver = world.inbox(shipper=sampling)
    deliver(receiver, "evt_1")
    deliver(receiver, "evt_2")
    world.until(lambda: len(world.handled) == 1)
    world.clock.now += 42.0

    def deep() -> list[dict[str, Any]]:
        return [one for one in world.collector.samples if one["depth"] == 2 and one["oldest_age_s"] >= 42]

    world.collector.wait_for(lambda: bool(deep()))
    hold.set()
    sampling.close()

    sample = deep()[0]
    assert (sample["source"], sample["endpoint"], sample["queue"]) == ("acme", "orders", "inbox")
    assert sample["sampled_at"] == int((NOW + 42) * 1e6)


def test_a_clock_that_is_set_back_keeps_no_event_waiting(world: World) -> None:
    def fail_once(event: Event) -> None:
        if event.attempt == 1:
            raise RuntimeError("try again")

    world.behave = fail_once
    receiver = world.inbox(retry=RetryPolicy(first_s=60.0, uniform=lambda low, high: high))
    assert deliver(receiver).status == 200
    world.until(lambda: world.outcomes() == ["accepted", "failed"])

    world.clock.now -= 3600.0

    emptied(world, receiver)
    assert [event.attempt for event in world.handled] == [1, 2]


def test_an_event_whose_handler_is_gone_becomes_a_dead_letter(world: World) -> None:
    """Somebody deployed a receiver that no longer knows the type: the event waits, then is given up aloud."""
    receiver = world.inbox(handle="other.type")
    assert receiver.inbox is not None
    event = Event("evt_0", "gone.type", {}, b"{}", [], int(NOW * 1e6))
    receiver.inbox.put("k", event, keep_us=10**9)
    receiver.start()
    for _ in range(20):
        world.clock.now += 30.0
        deliver(receiver, f"evt_{world.clock.now}", event_type="other.type", at=world.clock.now)
    emptied(world, receiver)

    (letter,) = [record for record in world.records() if record["outcome"] == "dead_lettered"]
    assert letter["event_id"] == "evt_0"
    assert "gone.type" in letter["error_message"]
