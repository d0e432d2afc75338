"""Which types a receiver handles and expects is told to the collector: when it changes, and once an hour.

Practice 18: what is subscribed to and never used, and what is expected and never comes.
"""

from typing import Any
from unittest.mock import ANY

import pytest

from hookvitals import PROFILES, Profile
from hookvitals.declarations import EVERY_S, MOST_AT_ONCE, Declarations
from hookvitals.drill import Aim
from tests.sdk.collector import Reply
from tests.sdk.world import SECRET, Clock, World, deliver

EXPECTING = Profile(
    "expecting", scheme="standard", id_path="header:webhook-id", expected_types=("a.b", "c.d")
)


def told(world: World) -> list[list[dict[str, Any]]]:
    """What each post said of types."""
    return [post.document["client"].get("types", []) for post in world.collector.posts]


def test_what_is_handled_and_expected_is_told_with_the_next_records(world: World) -> None:
    receiver = world.receiver(environment="staging", handle=None, expects=["invoice.due", "invoice.paid"])
    receiver.on("invoice.*")(lambda event: None)
    receiver.on("customer.created")(lambda event: None)
    deliver(receiver)
    world.records()

    assert told(world) == [
        [
            {
                "environment": "staging",
                "source": "acme",
                "endpoint": "orders",
                "handled": ["customer.created", "invoice.*"],
                "expected": ["invoice.due", "invoice.paid"],
                "seen": ANY,
            }
        ]
    ]


def test_it_is_told_again_when_it_changes_and_not_before(world: World) -> None:
    receiver = world.receiver(handle="a")
    for event_id in ("evt_1", "evt_2"):
        deliver(receiver, event_id)
        world.records()
    receiver.on("b")(lambda event: None)
    deliver(receiver, "evt_3")
    world.records()

    assert [[each["handled"] for each in said] for said in told(world)] == [[["a"]], [], [["a", "b"]]]


def test_what_a_collector_did_not_store_is_told_again(world: World) -> None:
    receiver = world.receiver(handle="a")
    answers = iter([Reply(503)])
    world.collector.answer = lambda post: next(answers, Reply())
    deliver(receiver)
    world.records()
    deliver(receiver, "evt_2")
    world.records()

    assert [len(said) for said in told(world)] == [1, 1, 0]


def test_after_an_hour_it_is_told_once_more() -> None:
    clock = Clock()
    declarations = Declarations(clock)
    declarations.declare("one", lambda: {"handled": ["a"]})

    assert declarations.due(arrived=True) == [{"handled": ["a"]}]
    clock.now += EVERY_S - 1
    assert declarations.due(arrived=True) == []
    clock.now += EVERY_S
    assert declarations.due(arrived=True) == [{"handled": ["a"]}]


def test_many_receivers_are_told_of_bit_by_bit() -> None:
    declarations = Declarations(Clock())
    for number in range(MOST_AT_ONCE + 5):
        declarations.declare(str(number), lambda number=number: {"endpoint": number})  # type: ignore[misc]

    said = [declarations.due(arrived=True) for _ in range(3)]

    assert [len(each) for each in said] == [MOST_AT_ONCE, 5, 0]
    assert len({each["endpoint"] for one in said for each in one}) == MOST_AT_ONCE + 5


def test_a_receiver_that_was_closed_says_no_more(world: World) -> None:
    gone, stays = world.receiver(endpoint="gone"), world.receiver(endpoint="stays")
    gone.close()
    deliver(stays)
    world.records()

    assert [each["endpoint"] for each in told(world)[0]] == ["stays"]


def test_a_profile_names_what_all_its_receivers_expect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES, EXPECTING.name, EXPECTING)

    assert world.receiver("expecting", system=None).settings.profile.expected_types == ("a.b", "c.d")
    assert world.receiver("expecting", system=None, expects=[]).settings.profile.expected_types == []


def test_a_drill_sends_each_type_that_the_profile_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES, EXPECTING.name, EXPECTING)

    assert Aim("http://127.0.0.1/", "expecting", SECRET).types == ("a.b", "c.d")
    assert Aim("http://127.0.0.1/", "expecting", SECRET, ("e.f",)).types == ("e.f",)
    assert Aim("http://127.0.0.1/", "standard", SECRET).types == ("test.event",)


@pytest.mark.parametrize("wrong", ["invoice.paid", ["invoice.*"], [""], [5], ["x" * 257], ["a"] * 201])
def test_what_is_no_list_of_whole_names_is_refused(world: World, wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected_types"):
        world.receiver(expects=wrong)
