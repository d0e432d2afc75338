"""A replay is recognised by the replay secret alone, and runs unless the event was done."""

import base64
import threading
from typing import Any

import pytest

from hookvitals import Event, Receiver, replay_headers
from tests.sdk.receiver.test_inbox import wait
from tests.sdk.schemes.oracles import OrumLike
from tests.sdk.world import NOW, REPLAY_SECRET, SECRET, URL, Answered, Headers, World, deliver, request

OTHER_SECRET = "whsec_" + base64.b64encode(b"somebody else's secret").decode()


def replayed(
    world: World,
    body: bytes,
    item: str = "item_1",
    *,
    secret: str = REPLAY_SECRET,
    more: Headers | None = None,
) -> Headers:
    """A replay's headers, signed now: none of the source's signature."""
    return [*replay_headers(item, body, secret, world.clock()), *(more or [("webhook-id", "evt_1")])]


def test_a_replay_needs_no_signature_of_the_source_and_says_who_it_is(world: World) -> None:
    receiver = world.receiver()
    body = request()[1]
    world.clock.now += 86_400 * 30

    answer = Answered(receiver.handle("POST", URL, replayed(world, body), body, "203.0.113.9"))

    assert answer.status == 200
    assert world.handled[0].replay_id == "item_1"
    (record,) = world.records()
    assert (record["outcome"], record["replay_id"], record["event_id"]) == ("succeeded", "item_1", "evt_1")


def test_orum_can_be_replayed_although_only_orum_can_sign(world: World) -> None:
    receiver = world.receiver("orum", system=None, secrets=[OrumLike().pem])
    body = b'{"event_id": "evt_1", "event_type": "t", "created_at": "2020-01-01T00:00:00Z", "event_data": {}}'

    answer = Answered(receiver.handle("POST", URL, replayed(world, body, more=[]), body, "203.0.113.9"))

    assert answer.status == 200  # neither the allow-list nor the age of the body's time stands in its way
    assert len(world.handled) == 1


def test_a_replay_is_not_counted_against_the_sources_rate(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": 1})
    assert deliver(receiver, "evt_0").status == 200
    assert deliver(receiver, "evt_x").status == 429
    body = request()[1]

    assert Answered(receiver.handle("POST", URL, replayed(world, body), body)).status == 200


def test_an_older_version_is_replayed_all_the_same(world: World) -> None:
    ordered = {"resource_path": "data.id", "version_path": "data.v"}
    receiver = world.receiver(profile=ordered)
    deliver(receiver, "evt_9", data={"data": {"id": 1, "v": 9}})
    body = request(data={"data": {"id": 1, "v": 3}})[1]

    Answered(receiver.handle("POST", URL, replayed(world, body), body))

    assert [event.id for event in world.handled] == ["evt_9", "evt_1"]


def test_a_replay_of_a_done_event_is_a_duplicate(world: World) -> None:
    for receiver in (world.receiver(), world.inbox(endpoint="queued")):
        world.handled.clear()
        deliver(receiver)
        inbox = receiver.inbox
        if inbox is not None:
            world.until(lambda inbox=inbox: inbox.depth() == 0)  # type: ignore[misc]
        body = request()[1]

        answer = Answered(receiver.handle("POST", URL, replayed(world, body), body))

        assert answer.status == 200
        assert len(world.handled) == 1
        last = world.records()[-1]
        assert (last["outcome"], last["replay_id"]) == ("duplicate", "item_1")


def test_a_dead_letter_runs_again_and_its_record_names_the_replay(world: World) -> None:
    def fail(event: Event) -> None:
        if event.replay_id is None:
            raise RuntimeError("down")

    world.behave = fail
    receiver = world.inbox()
    inbox = receiver.inbox
    assert inbox is not None
    deliver(receiver)
    world.until(lambda: inbox.depth() == 0)
    letter = world.records()[-1]
    assert letter["outcome"] == "dead_lettered"
    captured = base64.b64decode(letter["capture"]["body"])
    more = list(letter["capture"]["headers"].items())
    world.clock.now += 3600

    assert (
        Answered(receiver.handle("POST", URL, replayed(world, captured, more=more), captured)).status == 200
    )
    world.until(lambda: inbox.depth() == 0)

    accepted, succeeded = world.records()[-2:]
    assert (accepted["outcome"], accepted["replay_id"]) == ("accepted", "item_1")
    assert (succeeded["outcome"], succeeded["replay_id"]) == ("succeeded", "item_1")


def test_a_replay_of_an_event_that_still_waits_is_told_to_come_back_and_settles_nothing(world: World) -> None:
    hold = threading.Event()
    world.behave = lambda event: wait(hold)
    receiver = world.inbox()
    inbox = receiver.inbox
    assert inbox is not None
    deliver(receiver, "evt_0")
    world.until(lambda: len(world.handled) == 1)
    deliver(receiver, "evt_1")  # waits behind the first
    body = request()[1]

    answer = Answered(receiver.handle("POST", URL, replayed(world, body), body))
    hold.set()
    world.until(lambda: inbox.depth() == 0)

    assert answer.status == 503
    assert [event.id for event in world.handled] == ["evt_0", "evt_1"]
    assert all("replay_id" not in record for record in world.records())


def test_a_replay_that_meets_the_event_at_work_settles_nothing(world: World) -> None:
    receiver = world.receiver()
    met: list[Answered] = []
    body = request()[1]
    world.behave = lambda event: met.append(
        Answered(receiver.handle("POST", URL, replayed(world, body), body))
    )

    deliver(receiver)

    assert met[0].status == 503
    assert all("replay_id" not in record for record in world.records())


def forged(world: World, body: bytes) -> dict[str, Headers]:
    right = replayed(world, body)
    old = replay_headers("item_1", body, REPLAY_SECRET, world.clock() - 301)
    ahead = replay_headers("item_1", body, REPLAY_SECRET, world.clock() + 301)
    event = ("webhook-id", "evt_1")
    return {
        "another secret": replayed(world, body, secret=OTHER_SECRET),
        "the source's secret": replayed(world, body, secret=SECRET),
        "no signature": [pair for pair in right if pair[0] != "Hookvitals-Signature"],
        "no time": [pair for pair in right if pair[0] != "Hookvitals-Timestamp"],
        "another item": [*replayed(world, body, "item_2")[1:], ("Hookvitals-Replay", "item_3")],
        "another body": replayed(world, body + b" "),
        "late": [*old, event],
        "early": [*ahead, event],
        "twice": [*right, right[0]],
        "an endless item": replayed(world, body, "i" * 65),
        "not ascii": [*right[1:], ("Hookvitals-Replay", "it\u00e9m")],
        "half a character": [*right[1:], ("Hookvitals-Replay", "\ud800")],
    }


CASES = [
    "another secret", "the source's secret", "no signature", "no time", "another item", "another body",
    "late", "early", "twice", "an endless item", "not ascii", "half a character",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_without_a_valid_signature_the_header_means_nothing(world: World, case: str) -> None:
    receiver = world.receiver()
    headers, body = request()
    replay = forged(world, body)[case]

    alone = Answered(receiver.handle("POST", URL, replay, body))
    beside = [pair for pair in replay if pair[0] != "webhook-id"]
    with_the_sources = Answered(receiver.handle("POST", URL, [*headers, *beside], body))

    assert alone.problem["code"] == "missing_signature"
    assert with_the_sources.status == 200
    assert all("replay_id" not in record for record in world.records())


def test_every_forgery_is_tried(world: World) -> None:
    assert sorted(forged(world, b"{}")) == sorted(CASES)


def test_a_receiver_without_a_replay_secret_knows_no_replays(world: World) -> None:
    receiver = world.receiver(replay_secret=None)
    body = request()[1]

    answer = Answered(receiver.handle("POST", URL, replayed(world, body), body))

    assert answer.problem["code"] == "missing_signature"


def test_a_header_that_names_the_event_is_captured_whatever_it_is_called(world: World) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError

    world.behave = fail
    named: dict[str, Any] = {"id_path": "header:X-Delivery", "type_path": "header:X-Kind"}
    receiver: Receiver = world.inbox(system="hopnow", secrets=["k"], profile=named)
    headers, body = request(system="hopnow", secret="k")

    receiver.handle("POST", URL, [*headers, ("X-Delivery", "d_1"), ("X-Kind", "push")], body)
    assert receiver.inbox is not None
    world.until(lambda: receiver.inbox is not None and receiver.inbox.depth() == 0)

    (letter,) = [record for record in world.records() if record["outcome"] == "dead_lettered"]
    assert (letter["event_id"], letter["event_type"]) == ("d_1", "push")
    assert letter["capture"]["headers"]["x-delivery"] == "d_1"
    assert letter["capture"]["headers"]["x-kind"] == "push"


def test_the_time_of_a_replay_is_now(world: World) -> None:
    assert dict(replay_headers("i", b"", REPLAY_SECRET, NOW))["Hookvitals-Timestamp"] == "1800000000"
