"""A canary asks whether the way is open: answered like an event, and nothing of the business sees it."""

import pytest

from hookvitals import Receiver, canary_headers, replay_headers
from tests.sdk.schemes.oracles import OrumLike
from tests.sdk.world import NOW, REPLAY_SECRET, SECRET, URL, Answered, World, deliver, request


def canary(receiver: Receiver, name: str = "can_1", body: bytes = b"", *, at: float = NOW) -> Answered:
    headers = canary_headers(name, body, REPLAY_SECRET, at)
    return Answered(receiver.handle("POST", URL, headers, body, "203.0.113.9"))


@pytest.mark.parametrize("inbox", [False, True])
def test_it_is_answered_like_an_event_and_reaches_no_handler(world: World, inbox: bool) -> None:
    receiver = world.inbox() if inbox else world.receiver()

    answers = [canary(receiver), canary(receiver)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, b'{"ok":true}')] * 2
    assert world.handled == []
    for record in world.records():
        assert record["canary"] is True
        assert (record["outcome"], record["http_status"]) == ("succeeded", 200)
        assert (record["event_id"], record["event_type"]) == ("can_1", "canary")
        assert "attempt" not in record


def test_it_claims_and_orders_nothing_of_the_sources(world: World) -> None:
    receiver = world.receiver(profile={"resource_path": "data.id", "version_path": "data.v"})
    body = request("evt_1", data={"data": {"id": 1, "v": 99}})[1]

    assert canary(receiver, "evt_1", body).status == 200
    assert deliver(receiver, "evt_1", data={"data": {"id": 1, "v": 1}}).status == 200

    assert [event.id for event in world.handled] == ["evt_1"]


def test_it_needs_neither_the_sources_key_nor_its_address(world: World) -> None:
    receiver = world.receiver("orum", system=None, secrets=[OrumLike().pem])

    assert canary(receiver).status == 200


def test_it_spends_an_allowance_of_its_own(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": 1, "replays_per_minute": 2})
    deliver(receiver, "evt_1")

    assert [canary(receiver).status for _ in range(3)] == [200, 200, 429]


def test_it_is_too_large_like_anything_else(world: World) -> None:
    assert canary(world.receiver(max_body_bytes=10), body=b"x" * 11).status == 413


def test_without_a_valid_signature_the_header_means_nothing(world: World) -> None:
    receiver = world.receiver()
    headers, body = request()
    for unsigned in (
        [("Hookvitals-Canary", "can_1")],
        canary_headers("can_1", body, SECRET, NOW),
        canary_headers("can_1", body, REPLAY_SECRET, NOW - 301),
        canary_headers("can_1", body + b" ", REPLAY_SECRET, NOW),
        canary_headers("c" * 65, body, REPLAY_SECRET, NOW),
    ):
        assert Answered(receiver.handle("POST", URL, unsigned, body)).problem["code"] == "missing_signature"

    beside = [*headers, ("Hookvitals-Canary", "can_1")]
    assert Answered(receiver.handle("POST", URL, beside, body)).status == 200
    assert [event.id for event in world.handled] == ["evt_1"]
    assert all("canary" not in record for record in world.records())


def test_a_canary_cannot_be_made_a_replay_nor_a_replay_a_canary(world: World) -> None:
    receiver = world.receiver()
    body = request()[1]
    event = ("webhook-id", "evt_1")
    as_replay = [
        ("Hookvitals-Replay", "canary:can_1"),
        *canary_headers("can_1", body, REPLAY_SECRET, NOW)[1:],
        event,
    ]
    as_canary = [
        ("Hookvitals-Canary", "item_1"),
        *replay_headers("item_1", body, REPLAY_SECRET, NOW)[1:],
        event,
    ]

    for headers in (as_replay, as_canary):
        assert Answered(receiver.handle("POST", URL, headers, body)).problem["code"] == "missing_signature"
    assert world.handled == []


def test_a_receiver_without_a_replay_secret_knows_no_canaries(world: World) -> None:
    assert canary(world.receiver(replay_secret=None)).problem["code"] == "missing_signature"
