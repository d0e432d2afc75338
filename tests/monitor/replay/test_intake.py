from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import Route, Silence, State
from monitor.clock import to_us
from monitor.dead_letters import ItemState, LetterState
from monitor.errors import LeaseLost
from monitor.model import Outcome
from monitor.replay.permanent import fingerprint
from monitor.store.control.marks import FeedMark
from tests.control import everything_in, lead
from tests.monitor.replay.world import BODY, PLACE, SECRET, World


def test_a_dead_letter_in_the_feed_becomes_a_letter_with_its_capture(world: World) -> None:
    letter_id = world.die("evt_1")

    assert world.take_in() == "took 1 records, 1 new dead letters"

    letter = world.letter(letter_id)
    assert (letter.state, letter.key.event_id, letter.redacted) == (LetterState.OPEN, "evt_1", False)
    assert (letter.standing.error_class, letter.standing.attempt) == ("KeyError", 3)
    assert world.control.letters.capture(letter_id) is not None


def test_the_feed_is_taken_once(world: World) -> None:
    world.die("evt_1")

    world.take_in()

    assert world.take_in() == ""


def test_taking_the_whole_feed_again_changes_nothing(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    replay_id = world.start(letter_id)
    world.turn(2)

    def stored() -> tuple[object, ...]:
        return world.letter(letter_id), world.items(replay_id), world.control.letters.records(letter_id)

    before = stored()

    with world.control.write() as tx:
        world.control.marks.put_feed(tx, FeedMark("another store", 0, 10**9))
    world.take_in()

    assert (
        world.letter(letter_id),
        world.items(replay_id),
        world.control.letters.records(letter_id),
    ) == before
    mark = world.control.marks.feed()
    assert mark is not None
    assert mark.store_id == world.facts.store_id()


def test_a_worker_that_lost_the_lease_takes_nothing_in(world: World) -> None:
    letter_id = world.die("evt_1")
    lead(world.control, "another")

    with pytest.raises(LeaseLost):
        world.take_in()

    assert world.control.letters.get(letter_id) is None
    assert world.control.marks.feed() is None


def test_a_record_that_names_an_item_of_another_event_settles_nothing(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    replay_id = world.start(letter_id)
    world.receiver.reports = False
    world.turn()
    item = world.items(replay_id)[0]

    world.report(Outcome.SUCCEEDED, "evt_2", item.id)
    world.turn()

    assert world.letter(letter_id).state is LetterState.OPEN
    assert world.items(replay_id)[0].state is ItemState.SENT


def test_a_rejected_replay_fails_its_item_although_it_names_no_event(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    world.receiver.outcomes["evt_1"] = [Outcome.REJECTED]
    replay_id = world.start(letter_id)

    world.turn()

    item = world.items(replay_id)[0]
    assert item.state is ItemState.FAILED
    letter = world.letter(letter_id)
    assert (letter.state, letter.standing.failed_replays) == (LetterState.OPEN, 1)
    assert letter.standing.event_type == "invoice.paid"


def test_a_replay_id_that_control_does_not_know_is_passed_over(world: World) -> None:
    world.report(Outcome.SUCCEEDED, "evt_9", "ri_of_another_installation")

    assert world.take_in() == "took 1 records, 0 new dead letters"


def fail_for_good(world: World, event_id: str) -> str:
    letter_id = world.die(event_id)
    world.take_in()
    world.receiver.outcomes[event_id] = [Outcome.FAILED] * 5
    for _ in range(5):
        world.start(letter_id)
        world.turn(3)
    return letter_id


def test_the_fifth_failed_replay_sets_the_letter_aside_and_raises_an_alert_at_once(world: World) -> None:
    world.routes = [Route(("slack",))]

    letter_id = fail_for_good(world, "evt_1")

    assert world.letter(letter_id).state is LetterState.PERMANENT
    alert = world.control.alerts.get(fingerprint(*PLACE))
    assert alert is not None
    assert (alert.state, alert.evidence.value) == (State.FIRING, 1.0)
    due = world.control.notifications.due(world.clock.now(), 10)
    assert [waiting.notification.channel for waiting in due] == ["slack"]


def test_a_second_letter_of_the_endpoint_raises_no_second_alert(world: World) -> None:
    world.routes = [Route(("slack",))]
    fail_for_good(world, "evt_1")
    fail_for_good(world, "evt_2")

    alert = world.control.alerts.get(fingerprint(*PLACE))
    assert alert is not None
    assert (alert.episode, alert.evidence.value) == (1, 2.0)
    assert len(world.control.notifications.of_alert(alert.fingerprint)) == 1


def test_the_alert_ends_when_the_last_letter_is_mended_and_the_channel_is_told(world: World) -> None:
    world.routes = [Route(("slack",))]
    letter_id = fail_for_good(world, "evt_1")

    world.start(letter_id)
    world.turn(3)

    alert = world.control.alerts.get(fingerprint(*PLACE))
    assert alert is not None
    assert alert.state is State.RESOLVED
    told = world.control.notifications.of_alert(alert.fingerprint)
    assert sorted(row.notification.reason.value for row in told) == ["firing", "resolved"]


def test_the_evaluator_never_sees_this_alert_and_so_cannot_end_it(world: World) -> None:
    fail_for_good(world, "evt_1")

    assert world.control.book.alerts([]) == {}


def test_a_letter_outlives_the_facts(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    world.filled.writer.raise_floor(to_us(world.clock.now() + timedelta(days=1)), 1000)

    world.start(letter_id)
    world.turn()

    assert world.receiver.effects == ["evt_1"]


def test_records_that_arrive_in_any_order_leave_the_same_letter(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    world.receiver.reports = False
    replay_id = world.start(letter_id)
    world.turn()
    item = world.items(replay_id)[0]
    later = world.make(
        Outcome.SUCCEEDED,
        world.clock.now() + timedelta(seconds=9),
        event_id="evt_1",
        replay_id=item.id,
    )
    earlier = replace(
        world.make(Outcome.FAILED, world.clock.now(), event_id="evt_1", replay_id=item.id),
        error_class="Flaky",
    )

    for record in (later, earlier):
        world.filled.add([record])
        world.take_in()

    assert world.letter(letter_id).state is LetterState.RESOLVED
    assert world.items(replay_id)[0].state is ItemState.SUCCEEDED


def test_neither_the_event_nor_the_secret_lies_open_in_control(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    world.start(letter_id)
    world.turn(3)

    stored = everything_in(world.control)

    assert world.receiver.effects == ["evt_1"]
    assert BODY.split(b",")[1] not in stored
    assert SECRET.removeprefix("whsec_").encode() not in stored


def test_a_maintenance_window_keeps_the_alert_quiet_and_its_end_tells(world: World) -> None:
    world.routes = [Route(("slack",))]
    windows = [Silence("upgrade", {"source": "*"}, world.clock.now(), world.clock.now() + timedelta(hours=1))]
    world.intake = replace(world.intake, windows=lambda: windows)

    fail_for_good(world, "evt_1")
    world.take_in()

    alert = world.control.alerts.get(fingerprint(*PLACE))
    assert alert is not None
    assert alert.muted_by == "silence:upgrade"
    assert world.control.notifications.of_alert(alert.fingerprint) == []

    windows.clear()
    world.take_in()

    assert len(world.control.notifications.of_alert(alert.fingerprint)) == 1
