"""A handler that hands its event on: the receiver records `accepted`, copies are duplicates, and whoever
works it tells the end (practice 4)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hookvitals import ACCEPTED, Event, Receiver
from hookvitals.integrations import asgi
from hookvitals.integrations.django import fresh_connections
from tests.sdk.integrations import adapters  # noqa: F401  # configures Django
from tests.sdk.processing.drained import drained
from tests.sdk.receiver.test_replay import replayed
from tests.sdk.world import NOW, URL, Answered, World, deliver, request

Make = Callable[..., Receiver]


class Broker:
    """A handler that hands over; `away` of the times it cannot."""

    def __init__(self, away: int = 0) -> None:
        self.taken: list[Event] = []
        self.away = away

    def __call__(self, event: Event) -> Any:
        if self.away:
            self.away -= 1
            raise ConnectionError("the broker is away")
        self.taken.append(event)
        return ACCEPTED


def receiver_of(world: World, inbox: bool, broker: Callable[[Event], Any], **more: Any) -> Receiver:
    receiver = (world.inbox if inbox else world.receiver)(handle=None, **more)
    receiver.on("*")(broker)
    return receiver


def settled(world: World, receiver: Receiver) -> None:
    if receiver.inbox is not None:
        drained(world, receiver)


both = pytest.mark.parametrize("inbox", [False, True])


@both
def test_an_event_that_was_handed_over_is_accepted_once_and_its_copies_are_duplicates(
    world: World, inbox: bool
) -> None:
    broker = Broker()
    receiver = receiver_of(world, inbox, broker)
    for _ in range(3):
        assert deliver(receiver).status == 200
        settled(world, receiver)

    assert len(broker.taken) == 1
    assert world.outcomes() == ["accepted", "duplicate", "duplicate"]
    accepted = world.records()[0]
    assert (accepted["event_id"], accepted["received_at"]) == ("evt_1", int(NOW * 1e6))
    assert (accepted["endpoint"], accepted["http_status"]) == ("orders", 200)
    assert not {"attempt", "process_ms", "queue_ms"} & set(accepted), "those are of who works it"


def test_a_source_may_have_a_status_of_its_own_for_it(world: World) -> None:
    receiver = receiver_of(world, False, Broker(), profile={"statuses": {"accepted": 202}})

    assert deliver(receiver).status == 202


def test_a_broker_that_is_away_is_a_failure_and_the_next_copy_is_handed_over(world: World) -> None:
    broker = Broker(away=1)
    receiver = receiver_of(world, False, broker)

    assert [deliver(receiver).status for _ in range(2)] == [500, 200]
    assert [event.attempt for event in broker.taken] == [2]
    assert world.outcomes() == ["failed", "accepted"]


def test_from_the_inbox_it_is_handed_over_by_as_many_attempts_as_it_takes(world: World) -> None:
    broker = Broker(away=2)
    receiver = receiver_of(world, True, broker)
    deliver(receiver)
    drained(world, receiver)

    assert [event.attempt for event in broker.taken] == [3]
    assert world.outcomes() == ["accepted", "failed", "failed"], "its end is told by who has it now"


@both
def test_a_replay_of_what_was_handed_over_is_handed_over_again(world: World, inbox: bool) -> None:
    """Its task became a dead letter, of which the receiver knows nothing: to call the replay a duplicate
    would close the letter."""
    broker = Broker()
    receiver = receiver_of(world, inbox, broker)
    deliver(receiver)
    settled(world, receiver)
    body = request()[1]

    answer = Answered(receiver.handle("POST", URL, replayed(world, body), body))
    settled(world, receiver)

    assert answer.status == 200
    assert [event.replay_id for event in broker.taken] == [None, "item_1"]
    assert [(r["outcome"], r.get("replay_id")) for r in world.records()] == [
        ("accepted", None),
        ("accepted", "item_1"),
    ]
    assert deliver(receiver).status == 200
    assert world.outcomes()[-1] == "duplicate"


@both
def test_what_is_older_than_what_was_handed_over_is_stale(world: World, inbox: bool) -> None:
    """practice 14"""
    broker = Broker()
    profile = {"resource_path": "data.id", "version_path": "data.v"}
    receiver = receiver_of(world, inbox, broker, profile=profile)
    for number in (2, 1):
        deliver(receiver, f"evt_{number}", data={"data": {"id": 7, "v": number}})
        settled(world, receiver)

    assert [event.id for event in broker.taken] == ["evt_2"]
    assert world.outcomes() == ["accepted", "stale"]


def test_a_batch_is_handed_over_too(world: World) -> None:
    calls: list[int] = []

    def hand_over(events: list[Event]) -> Any:
        calls.append(len(events))
        return ACCEPTED

    receiver = world.inbox(handle=None)
    receiver.batch("*", size=3)(hand_over)
    for number in range(3):
        deliver(receiver, f"evt_{number}")
    drained(world, receiver)

    assert calls == [3]
    assert world.outcomes() == ["accepted"] * 3


def test_an_async_handler_and_one_of_django_may_give_it_too(world: World) -> None:
    async def hand_over(event: Event) -> Any:
        return ACCEPTED

    async def serve() -> int:
        receiver = receiver_of(world, False, asgi.on_this_loop(hand_over), endpoint="async")
        return (await asyncio.to_thread(deliver, receiver)).status

    receiver = receiver_of(world, False, fresh_connections(Broker()), endpoint="django")

    assert (asyncio.run(serve()), deliver(receiver).status) == (200, 200)
    assert [(r["endpoint"], r["outcome"]) for r in world.records()] == [
        ("async", "accepted"),
        ("django", "accepted"),
    ]


def test_anything_else_that_a_handler_gives_means_that_the_work_is_done(world: World) -> None:
    deliver(receiver_of(world, False, lambda event: "accepted"))

    assert world.outcomes() == ["succeeded"]
