"""Bodies of several events (SendGrid, HubSpot, LINE, Adyen): each goes its own way, one answer is given.

Practices 13 and 15: whatever is left to do makes the sender come again, and what is done is a duplicate then.
"""

import base64
import json
from typing import Any

import pytest

from hookvitals import Event, MemoryState, Receiver, replay_headers
from hookvitals.event import Event as Stored
from hookvitals.inbox import Entry
from hookvitals.state import Claim, StateUnavailable
from tests.sdk.world import NOW, REPLAY_SECRET, URL, Answered, World


def listed(*ids: str, **more: Any) -> bytes:
    """As LINE sends them, with spaces and numbers that no writer of JSON would give back."""
    events = ", ".join(
        f'{{"webhookEventId":"{event_id}", "type": "message", "n": 1.10, "x":{json.dumps(more)}}}'
        for event_id in ids
    )
    return f'{{"destination":  "U1", "events": [{events}] , "v": 2.0}}'.encode()


def line(world: World, **settings: Any) -> Receiver:
    return world.receiver("line", system=None, secrets=["s"], **settings)


def queued(world: World, **settings: Any) -> Receiver:
    return line(world, state_path=str(world.directory / "state.db"), inbox=True, **settings)


def post(receiver: Receiver, body: bytes) -> Answered:
    return Answered(receiver.handle("POST", URL, receiver.settings.scheme.sign(body, NOW), body, "192.0.2.1"))


def replayed(receiver: Receiver, body: bytes, item: str = "item_1") -> Answered:
    return Answered(receiver.handle("POST", URL, replay_headers(item, body, REPLAY_SECRET, NOW), body))


def drained(world: World, receiver: Receiver) -> None:
    assert receiver.inbox is not None
    world.until(lambda: receiver.inbox is not None and receiver.inbox.depth() == 0)


def failing(*ids: str) -> Any:
    def fail(event: Event) -> None:
        if event.id in ids:
            raise RuntimeError("down")

    return fail


def statuses(world: World) -> dict[str, int | None]:
    return {record["event_id"]: record.get("http_status") for record in world.records()}


def test_each_event_is_handled_and_recorded_under_its_own_id(world: World) -> None:
    answer = post(line(world), listed("a", "b", "c"))

    assert answer.status == 200
    assert [(event.id, event.type, event.data["n"]) for event in world.handled] == [
        ("a", "message", 1.1), ("b", "message", 1.1), ("c", "message", 1.1),
    ]  # fmt: skip
    assert [record["event_id"] for record in world.records()] == ["b", "c", "a"]
    assert world.outcomes() == ["succeeded"] * 3


def test_one_record_is_the_delivery_and_carries_what_was_measured_once(world: World) -> None:
    post(line(world), listed("a", "b", "c"))

    answered = [record for record in world.records() if "http_status" in record]
    assert [record["event_id"] for record in answered] == ["a"]
    assert {name for name in answered[0] if name.endswith("_ms")} >= {"ack_ms", "verify_ms", "latency_ms"}
    for record in world.records():
        assert record["received_at"] == int(NOW * 1e6)
        assert record["secret_id"] == answered[0]["secret_id"]
        assert record["remote_ip"] == "192.0.2.1"
        assert record["latency_ms"] >= record["process_ms"]
        assert (record in answered) == ("ack_ms" in record) == ("verify_ms" in record)


def test_the_answer_is_the_worst_and_stands_on_the_record_that_made_it(world: World) -> None:
    world.behave = failing("b")
    answer = post(line(world), listed("a", "b", "c"))

    assert answer.status == 500
    assert statuses(world) == {"a": None, "b": 500, "c": None}
    failed = next(record for record in world.records() if record["event_id"] == "b")
    assert (failed["outcome"], failed["record_id"]) == ("failed", answer.problem["error_id"])


def test_when_all_comes_again_what_is_done_is_a_duplicate(world: World) -> None:
    receiver = line(world)
    world.behave = failing("b")
    post(receiver, listed("a", "b", "c"))
    world.behave = failing()

    assert post(receiver, listed("a", "b", "c")).status == 200

    assert [event.id for event in world.handled] == ["a", "b", "c", "b"]
    again = world.records()[3:]
    assert sorted((record["event_id"], record["outcome"]) for record in again) == [
        ("a", "duplicate"), ("b", "succeeded"), ("c", "duplicate"),
    ]  # fmt: skip
    assert [record["event_id"] for record in again if "http_status" in record] == ["a"]


def test_work_that_is_left_weighs_more_than_what_cannot_be_read(world: World) -> None:
    world.behave = failing("b")
    body = b'{"events": [{"type": "t"}, {"webhookEventId": "b", "type": "t"}, 5]}'

    assert post(line(world), body).status == 500

    found = sorted((record["outcome"], record.get("http_status")) for record in world.records())
    assert found == [("failed", 500), ("rejected", None), ("rejected", None)]


def test_what_cannot_be_read_does_not_keep_its_neighbours_from_their_handler(world: World) -> None:
    answer = post(line(world), b'{"events": [{"type": "t"}, {"webhookEventId": "b", "type": "t"}]}')

    assert answer.problem["code"] == "invalid_payload"
    assert [event.id for event in world.handled] == ["b"]


def test_the_same_event_twice_in_one_body_is_worked_once(world: World) -> None:
    for receiver in (line(world), queued(world, endpoint="queued")):
        world.handled.clear()
        assert post(receiver, listed("a", "a")).status == 200
        world.until(lambda: len(world.handled) == 1)
        if receiver.inbox:
            drained(world, receiver)

    assert sorted(world.outcomes()) == ["accepted", "duplicate", "duplicate", "succeeded", "succeeded"]


def test_an_event_that_is_at_work_makes_the_sender_come_again(world: World) -> None:
    receiver = line(world)
    met: list[Answered] = []
    world.behave = lambda event: met.append(post(receiver, listed("a", "b"))) if event.id == "a" else None

    post(receiver, listed("a"))

    assert (met[0].status, met[0].headers["Retry-After"]) == (503, "5")
    assert [event.id for event in world.handled] == ["a", "b"]


def test_an_empty_list_is_answered_2xx_and_on_record(world: World) -> None:
    """LINE's console sends one to see whether somebody is there, and counts it as a delivery."""
    answer = post(line(world), b'{"destination": "U1", "events": []}')

    assert answer.status == 200
    (record,) = world.records()
    assert (record["outcome"], record["event_type"], record["http_status"]) == ("unhandled", "empty", 200)
    assert world.handled == []


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"null", b'{"events": {}}', b'{"events": null}', b'{"data": {"events": []}}']
)
def test_a_body_without_the_list_is_refused(world: World, body: bytes) -> None:
    assert post(line(world), body).problem["code"] == "invalid_payload"


def test_more_events_than_anybody_sends_are_refused_unheard(world: World) -> None:
    body = b'{"events":[' + b",".join([b"{}"] * 10_001) + b"]}"

    assert post(line(world), body).problem["code"] == "invalid_payload"
    assert len(world.records()) == 1


# --- captures and replays ---


def dead_letters(world: World) -> dict[str, bytes]:
    return {
        record["event_id"]: base64.b64decode(record["capture"]["body"])
        for record in world.records()
        if "capture" in record
    }


def test_what_is_captured_of_an_event_is_the_body_without_its_neighbours(world: World) -> None:
    world.behave = failing("b")
    post(line(world, capture="failures"), listed("a", "b", "c"))

    assert dead_letters(world) == {"b": listed("b")}


def test_a_body_of_one_event_is_captured_byte_for_byte(world: World) -> None:
    body = b'\xef\xbb\xbf{"events" :[ {"webhookEventId":"a","type":"t","n":1e2} ]}\r\n'
    post(line(world, capture="all"), body)

    assert dead_letters(world) == {"a": body}


def test_a_replay_of_one_event_works_it_alone(world: World) -> None:
    receiver = line(world, capture="failures")
    world.behave = failing("b", "c")
    post(receiver, listed("a", "b", "c"))
    letter = dead_letters(world)["b"]
    world.behave = failing()
    world.handled.clear()

    assert replayed(receiver, letter).status == 200

    assert [(event.id, event.replay_id) for event in world.handled] == [("b", "item_1")]
    last = world.records()[-1]
    assert (last["outcome"], last["replay_id"], last["http_status"]) == ("succeeded", "item_1", 200)
    assert world.handled[0].body == letter


def test_the_whole_body_replayed_would_work_its_neighbours_too(world: World) -> None:
    """Why one event's own body is captured, and not all of it."""
    receiver = line(world)
    world.behave = failing("b", "c")
    post(receiver, listed("a", "b", "c"))
    world.behave = failing()
    world.handled.clear()

    replayed(receiver, listed("a", "b", "c"))

    assert [event.id for event in world.handled] == ["b", "c"]


def test_a_dead_letter_of_the_inbox_is_replayed_alone_as_well(world: World) -> None:
    receiver = queued(world)
    world.behave = failing("b")
    post(receiver, listed("a", "b"))
    drained(world, receiver)
    letter = dead_letters(world)["b"]
    assert letter == listed("b")
    world.behave = failing()
    world.handled.clear()

    assert replayed(receiver, letter).status == 200
    drained(world, receiver)

    assert [(event.id, event.data["webhookEventId"]) for event in world.handled] == [("b", "b")]


def test_what_no_capture_may_show_is_found_in_each_event_s_own_body(world: World) -> None:
    post(line(world, capture="all", redact=["events.*.x"]), listed("a", "b", card="4111"))

    shown = {name: json.loads(body)["events"] for name, body in dead_letters(world).items()}
    assert {name: [each["webhookEventId"] for each in events] for name, events in shown.items()} == {
        "a": ["a"], "b": ["b"],
    }  # fmt: skip
    assert "4111" not in json.dumps(shown)
    assert all(record["capture"]["redacted"] for record in world.records())


# --- with an inbox ---


def test_all_are_on_disk_before_the_one_answer(world: World) -> None:
    receiver = queued(world)
    assert post(receiver, listed("a", "b", "c")).status == 200
    drained(world, receiver)

    assert [(event.id, event.data["n"]) for event in world.handled] == [("a", 1.1), ("b", 1.1), ("c", 1.1)]
    accepted = [record for record in world.records() if record["outcome"] == "accepted"]
    assert [record["event_id"] for record in accepted if "http_status" in record] == ["a"]
    assert len(accepted) == 3


def test_all_are_stored_or_none(world: World) -> None:
    receiver = queued(world)
    inbox = receiver.inbox
    assert inbox is not None
    odd: Any = object()  # no column takes it
    entries = [
        Entry(key, Stored(key, "t", {}, body, (), int(NOW * 1e6))) for key, body in (("a", b"{}"), ("b", odd))
    ]

    with pytest.raises(Exception, match="type"):
        inbox.put_all(entries, keep_us=10**9)

    assert inbox.depth() == 0


def test_a_broken_inbox_stores_none_and_says_so_once(world: World) -> None:
    receiver = queued(world)
    receiver.state.close()

    assert post(receiver, listed("a", "b", "c")).status == 500
    assert [(record["event_id"], record["http_status"]) for record in world.records()] == [("a", 500)]
    assert world.handled == []


class _Away(MemoryState):
    """A state whose server goes away after the first event."""

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        if key.endswith("a"):
            return super().claim(key, now_us, lease_us)
        raise StateUnavailable("away")


def test_a_state_that_is_away_is_not_asked_again_for_the_rest(world: World) -> None:
    answer = post(line(world, state=_Away(world.clock)), listed("a", "b", "c"))

    assert (answer.status, answer.problem["code"]) == (503, "unavailable")
    assert statuses(world) == {"a": None, "b": 503}
    assert [event.id for event in world.handled] == ["a"]
