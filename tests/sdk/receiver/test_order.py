"""The order guard: what is older than what was processed is stale, what says the same again a duplicate.

Practice 14; and the bug of a guide that compares times as texts.
"""

import threading
from typing import Any

import pytest

from hookvitals import Event, Receiver
from tests.sdk.world import World, deliver

ORDERED = {"resource_path": "data.id", "version_path": "data.updated"}


@pytest.fixture(params=["inline", "inbox"])
def receiver(request: pytest.FixtureRequest, world: World) -> Receiver:
    return world.inbox(profile=ORDERED) if request.param == "inbox" else world.receiver(profile=ORDERED)


def send(world: World, receiver: Receiver, event_id: str, version: Any, resource: Any = "inv_1") -> None:
    """Delivers one event and waits until nothing is left in the inbox."""
    assert deliver(receiver, event_id, data={"data": {"id": resource, "updated": version}}).status == 200
    inbox = receiver.inbox
    if inbox is not None:
        world.until(lambda: inbox.depth() == 0)


def handled(world: World) -> list[str]:
    return [event.id for event in world.handled]


def test_an_older_version_is_acknowledged_and_recorded_as_stale(world: World, receiver: Receiver) -> None:
    send(world, receiver, "evt_2", 20)
    send(world, receiver, "evt_1", 10)
    send(world, receiver, "evt_3", 30)

    assert handled(world) == ["evt_2", "evt_3"]
    (stale,) = [record for record in world.records() if record["outcome"] == "stale"]
    assert (stale["event_id"], stale["resource"], stale["version"]) == ("evt_1", "inv_1", 10)


def test_an_equal_version_is_a_duplicate(world: World, receiver: Receiver) -> None:
    send(world, receiver, "evt_1", "2026-11-21T09:00:00Z")
    send(world, receiver, "evt_2", "2026-11-21T10:00:00+01:00")
    send(world, receiver, "evt_3", "2026-11-21T09:00:00.000000Z")

    assert handled(world) == ["evt_1"]
    outcomes = {record["event_id"]: record["outcome"] for record in world.records()}
    assert (outcomes["evt_2"], outcomes["evt_3"]) == ("duplicate", "duplicate")


@pytest.mark.parametrize("inbox", [False, True])
def test_equal_versions_are_handled_where_that_was_wanted(world: World, inbox: bool) -> None:
    make = world.inbox if inbox else world.receiver
    receiver = make(profile={**ORDERED, "equal_versions": "process"})
    send(world, receiver, "evt_1", 7)
    send(world, receiver, "evt_2", 7)

    assert handled(world) == ["evt_1", "evt_2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (2**60, 2**60 + 1),
        ("2026-11-21T09:00:00.123456100Z", "2026-11-21T09:00:00.123456200Z"),
    ],
)
def test_versions_that_differ_by_less_than_is_kept_are_never_taken_for_equal(
    world: World, receiver: Receiver, first: Any, second: Any
) -> None:
    send(world, receiver, "evt_1", first)
    send(world, receiver, "evt_2", second)

    assert handled(world) == ["evt_1", "evt_2"]


def test_an_event_that_waits_behind_its_equal_is_a_duplicate_when_its_turn_comes(world: World) -> None:
    entered, hold = threading.Event(), threading.Event()

    def work(event: Event) -> None:
        entered.set()
        assert hold.wait(10)

    world.behave = work
    receiver = world.inbox(profile=ORDERED)
    for event_id in ("evt_1", "evt_2"):
        assert deliver(receiver, event_id, data={"data": {"id": 1, "updated": 5}}).status == 200
        assert entered.wait(10)
    hold.set()
    inbox = receiver.inbox
    assert inbox is not None
    world.until(lambda: inbox.depth() == 0)

    assert handled(world) == ["evt_1"]
    (last,) = [r for r in world.records() if r["event_id"] == "evt_2" and r["outcome"] != "accepted"]
    assert last["outcome"] == "duplicate"


def test_a_word_that_is_no_way_to_take_equal_versions_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="equal_versions"):
        world.receiver(profile={**ORDERED, "equal_versions": "ignore"})


def test_a_copy_of_an_older_event_is_a_duplicate_not_stale(world: World, receiver: Receiver) -> None:
    send(world, receiver, "evt_1", 10)
    send(world, receiver, "evt_2", 20)
    send(world, receiver, "evt_1", 10)

    assert [r["outcome"] for r in world.records() if r["event_id"] == "evt_1"][-1] == "duplicate"


def test_times_are_compared_as_instants_not_as_texts(world: World, receiver: Receiver) -> None:
    send(world, receiver, "evt_2", "2026-11-21T10:00:00.5Z")
    send(world, receiver, "evt_1", "2026-11-21T11:00:00+0100")

    assert handled(world) == ["evt_2"]


def test_each_resource_has_an_order_of_its_own(world: World, receiver: Receiver) -> None:
    send(world, receiver, "evt_2", 20)
    send(world, receiver, "evt_1", 10, resource="inv_2")

    assert handled(world) == ["evt_2", "evt_1"]


@pytest.mark.parametrize(
    "version",
    [
        None,
        True,
        [],
        {},
        "yesterday",
        "",
        "nan",
        "inf",
        pytest.param(10**400, id="huge"),
        pytest.param("1" * 400, id="long"),
    ],
)
def test_a_version_that_orders_nothing_switches_the_guard_off(
    world: World, receiver: Receiver, version: Any
) -> None:
    send(world, receiver, "evt_1", 5)
    send(world, receiver, "evt_2", version)
    send(world, receiver, "evt_3", 6)

    assert handled(world) == ["evt_1", "evt_2", "evt_3"]
    assert len(world.records()) >= 3


def test_what_failed_for_good_does_not_make_an_older_one_stale(world: World) -> None:
    def fail(event: Event) -> None:
        if event.id == "evt_2":
            raise RuntimeError

    world.behave = fail
    receiver = world.receiver(profile=ORDERED)

    assert deliver(receiver, "evt_2", data={"data": {"id": 1, "updated": 20}}).status == 500
    assert deliver(receiver, "evt_1", data={"data": {"id": 1, "updated": 10}}).status == 200
    assert handled(world) == ["evt_2", "evt_1"]


def test_endpoints_that_share_a_file_do_not_share_their_order(world: World) -> None:
    path = str(world.directory / "state.db")
    for endpoint, version in (("a", 20), ("b", 10)):
        receiver = world.receiver(endpoint=endpoint, state_path=path, profile=ORDERED)
        deliver(receiver, f"evt_{endpoint}", data={"data": {"id": 1, "updated": version}})

    assert handled(world) == ["evt_a", "evt_b"]
