"""Alerts, dead letters and replays as the screens ask for them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.model import Severity, State
from alerts.notifier import Delivered, GivenUp
from monitor.dead_letters import ItemState, Letter, LetterFilter, LetterState, Refusal
from monitor.queries import alerts, dead_letters, replays
from tests.monitor.replay.world import PLACE, World, new_world
from tests.monitor.store.control.test_alerts import firing, notification, transition


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path) as found:
        yield found


def test_an_alert_shows_which_channels_heard_of_it(world: World) -> None:
    alert = firing()
    world.control.alerts.apply(
        world.epoch, alert, [transition(alert)], [notification(alert), notification(alert, "email")]
    )
    done = Delivered(Receipt("ts-1"))
    world.control.notifications.settle({notification(alert).key: done}, world.clock.now(), [], world.epoch)

    (shown,) = alerts.alerts(world.control, "production").alerts

    assert (shown.told, shown.quiet) == (("slack",), None)
    detail = alerts.alert(world.control, alert.fingerprint)
    assert detail is not None
    assert (len(detail.transitions), len(detail.notifications)) == (1, 2)


def quiet(world: World) -> str | None:
    return alerts.alerts(world.control).alerts[0].quiet


def test_an_alert_that_reached_nobody_says_why(world: World) -> None:
    alert = firing()
    world.control.alerts.apply(world.epoch, alert, [], [])
    assert quiet(world) == "no_route"

    world.control.alerts.apply(world.epoch, alert, [], [notification(alert)])
    assert quiet(world) == "due"

    error = ChannelError(Failure.CLIENT_ERROR, "no", retryable=False)
    key = notification(alert).key
    world.control.notifications.settle({key: GivenUp(error)}, world.clock.now(), [], world.epoch)
    assert quiet(world) == "given_up"

    world.control.alerts.apply(world.epoch, replace(alert, muted_by="silence:s1"), [], [])
    assert quiet(world) == "silence:s1"


def test_alerts_of_another_environment_stay_away_and_the_monitors_own_show(world: World) -> None:
    for labels in ({"environment": "production"}, {"environment": "staging"}, {}):
        world.control.alerts.apply(world.epoch, firing(labels=labels), [], [])

    found = alerts.alerts(world.control, "production")

    assert len(found.alerts) == found.counts[State.FIRING] == 2
    assert len(alerts.firing(world.control, "production")) == 2


def test_firing_alerts_come_with_the_most_severe_first(world: World) -> None:
    for severity in Severity:
        alert = replace(firing(severity.value), severity=severity)
        world.control.alerts.apply(world.epoch, alert, [], [])

    assert [one.severity.value for one in alerts.firing(world.control)] == [
        "critical",
        "error",
        "warning",
        "info",
    ]


def test_pages_of_alerts_end(world: World) -> None:
    for n in range(5):
        world.control.alerts.apply(world.epoch, firing(f"rule {n}"), [], [])

    first = alerts.alerts(world.control, limit=3)
    second = alerts.alerts(world.control, limit=3, before=first.next_before)

    assert (len(first.alerts), len(second.alerts), second.next_before) == (3, 2, None)


def all_letters(world: World, wanted: LetterFilter, limit: int) -> list[Letter]:
    found: list[Letter] = []
    before = None
    while True:
        page = dead_letters.letters(world.control, wanted, limit, before)
        found += [one.letter for one in page.letters]
        before = page.next_before
        if before is None:
            return found


def test_pages_of_letters_neither_skip_nor_repeat(world: World) -> None:
    for n in range(7):
        world.die(f"evt_{n}")
        if n % 2:
            world.clock.move(timedelta(seconds=1))
    world.take_in()

    found = all_letters(world, LetterFilter("production"), 3)

    assert sorted(one.key.event_id for one in found) == [f"evt_{n}" for n in range(7)]
    died = [one.standing.died_at for one in found]
    assert died == sorted(died, reverse=True)


def test_each_filter_narrows_and_counts_span_the_states(world: World) -> None:
    open_id, done_id = world.die("evt_1"), world.die("evt_2")
    world.take_in()
    world.start(done_id)
    world.turn(2)

    page = dead_letters.letters(world.control, LetterFilter("production", states=(LetterState.OPEN,)))

    assert [one.letter.id for one in page.letters] == [open_id]
    assert page.counts == {LetterState.OPEN: 1, LetterState.PERMANENT: 0, LetterState.RESOLVED: 1}
    for empty in (
        LetterFilter("staging"),
        LetterFilter(source="orum"),
        LetterFilter(endpoint="refunds"),
        LetterFilter(event_type="invoice.voided"),
        LetterFilter(error_class="TimeoutError"),
        LetterFilter(since_at=world.clock.now() + timedelta(days=1)),
        LetterFilter(until_at=world.clock.now() - timedelta(days=1)),
    ):
        assert dead_letters.letters(world.control, empty).letters == []


def test_a_letter_says_whether_it_can_be_replayed(world: World) -> None:
    good, redacted, bare = (
        world.die("evt_1"),
        world.die("evt_2", redacted=True),
        world.die("evt_3", captured=False),
    )
    world.take_in()

    def refusals() -> dict[str, Refusal | None]:
        page = dead_letters.letters(world.control, LetterFilter())
        return {one.letter.id: one.refusal for one in page.letters}

    assert refusals() == {good: None, redacted: Refusal.REDACTED, bare: Refusal.NO_CAPTURE}
    world.start(good)
    assert refusals()[good] is Refusal.BUSY
    world.turn(2)
    assert refusals()[good] is Refusal.RESOLVED


def test_one_letter_shows_its_records_and_replays(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    replay_id = world.start(letter_id)
    world.turn(2)

    detail = dead_letters.letter(world.control, letter_id)

    assert detail is not None
    assert [record.outcome.value for record in detail.records] == ["dead_lettered", "succeeded"]
    assert [item.replay_id for item in detail.items] == [replay_id]
    assert dead_letters.letter(world.control, "unknown") is None


def test_letters_that_wait_are_counted_by_endpoint(world: World) -> None:
    first, _ = world.die("evt_1"), world.die("evt_2")
    world.take_in()
    world.start(first)
    world.turn(2)

    assert dead_letters.open_letters(world.control, PLACE[0]) == {PLACE[1:]: 1}


def test_a_replay_shows_how_far_it_is(world: World) -> None:
    world.receiver.reports = False
    ids = [world.die(f"evt_{n}") for n in range(7)]
    world.take_in()
    replay_id = world.start(*ids)
    world.turn(2)

    detail = replays.replay(world.control, replay_id, limit=4)

    assert detail is not None
    assert (detail.summary.counts[ItemState.SENT], detail.summary.counts[ItemState.PLANNED]) == (5, 2)
    assert (detail.summary.total, detail.summary.to_go) == (7, 7)
    assert detail.next_after is not None
    rest = replays.replay(world.control, replay_id, limit=4, after=detail.next_after)
    assert rest is not None
    assert [item.position for item in [*detail.items, *rest.items]] == list(range(7))
    assert rest.next_after is None


def test_pages_of_replays_come_newest_first(world: World) -> None:
    made = []
    for n in range(3):
        letter_id = world.die(f"evt_{n}")
        world.take_in()
        made.append(world.start(letter_id))
        world.clock.move(timedelta(seconds=1))

    first = replays.replays(world.control, limit=2)
    second = replays.replays(world.control, limit=2, before=first.next_before)

    assert [one.replay.id for one in [*first.replays, *second.replays]] == made[::-1]
    assert second.next_before is None
