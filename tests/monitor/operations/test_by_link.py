"""What a message's link does: once, for its own alert and episode, and on record as the link's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import event

from alerts.model import Alert
from alerts.permits import Act, Permit, Permits
from alerts.silences import silencing
from monitor.errors import Conflict, Forbidden, NotFound, Unprocessable
from monitor.operations.by_link import do, look
from tests.monitor.replay.world import World
from tests.monitor.store.control.test_alerts import firing, resolved

PERMITS = Permits(b"k" * 32)


def token(
    world: World, act: Act = Act.ACKNOWLEDGE, episode: int = 1, life: timedelta = timedelta(days=3)
) -> str:
    return PERMITS.token(Permit(act, firing().fingerprint, episode, "ops", world.clock.now() + life))


def fires(world: World) -> Alert:
    world.control.alerts.apply(world.epoch, firing(), [], [])
    return firing()


def acts(world: World) -> list[tuple[str, str, str, str]]:
    return [(row.action, row.actor, row.via, row.subject) for row in world.control.audit.page(100)]


def test_looking_changes_nothing(world: World) -> None:
    alert = fires(world)
    for act in Act:
        offer = look(world.desk, PERMITS, token(world, act))
        assert (offer.is_open, offer.channel, offer.done_by) == (True, "ops", "")
        assert offer.alert.fingerprint == alert.fingerprint
    found = world.control.alerts.get(alert.fingerprint)
    assert found is not None
    assert found.ack is None
    assert world.control.silences.current(world.clock.now()) == []
    assert acts(world) == []


def test_alert_is_taken_on_once_however_often_the_button_is_pressed(world: World) -> None:
    alert = fires(world)
    offer = do(world.desk, PERMITS, token(world), "Ann")
    assert (offer.is_open, offer.done_by) == (False, "link:ops")
    do(world.desk, PERMITS, token(world), "Bob")
    found = world.control.alerts.get(alert.fingerprint)
    assert found is not None
    assert found.ack is not None
    assert found.ack.note == "Ann, by the link of a message"
    assert acts(world) == [("alert.acknowledge", "link:ops", "link", alert.fingerprint)]


@pytest.mark.parametrize("act", Act)
def test_presses_at_the_same_moment_are_one(world: World, act: Act) -> None:
    fires(world)
    link, together = token(world, act), Barrier(6)

    def press(who: int) -> None:
        together.wait()
        do(world.desk, PERMITS, link, f"person {who}")

    with ThreadPoolExecutor(6) as people:
        list(people.map(press, range(6)))
    assert len(acts(world)) == 1


def test_silence_covers_this_alert_for_the_hours_that_were_chosen_and_is_made_once(world: World) -> None:
    alert = fires(world)
    offer = do(world.desk, PERMITS, token(world, Act.SILENCE), "Ann", 4)
    do(world.desk, PERMITS, token(world, Act.SILENCE), "Bob", 24)
    now = world.clock.now()
    [silence] = world.control.silences.current(now)
    assert silencing(alert, [silence], now) == silence
    assert silence.ends_at == now + timedelta(hours=4) == offer.done_until
    assert (silence.created_by, silence.comment) == ("link:ops", "Ann, by the link of a message")
    assert acts(world) == [("silence.create", "link:ops", "link", silence.id)]
    other = replace(alert, labels={**alert.labels, "endpoint": "another"})
    assert silencing(other, [silence], now) is None


def test_link_of_an_episode_that_is_over_does_nothing(world: World) -> None:
    fires(world)
    for act in Act:
        old = token(world, act, episode=0)
        assert not look(world.desk, PERMITS, old).is_open
        with pytest.raises(Conflict, match="over"):
            do(world.desk, PERMITS, old)
    world.control.alerts.apply(world.epoch, resolved(firing()), [], [])
    assert not look(world.desk, PERMITS, token(world)).is_open
    with pytest.raises(Conflict, match="over"):
        do(world.desk, PERMITS, token(world))
    assert acts(world) == []


def test_link_that_is_forged_or_late_is_refused_before_the_store_is_asked(world: World) -> None:
    fires(world)
    forged = Permits(b"x" * 32).token(PERMITS.read(token(world), world.clock.now()))
    late = token(world, life=timedelta(0))
    asked: list[str] = []
    event.listen(
        world.control.engine, "before_cursor_execute", lambda _one, _two, sql, *_rest: asked.append(sql)
    )
    for bad in (forged, late, "", "x.y"):
        with pytest.raises(Forbidden):
            look(world.desk, PERMITS, bad)
        with pytest.raises(Forbidden):
            do(world.desk, PERMITS, bad)
    assert asked == []


def test_alert_that_is_no_longer_kept_is_told_of(world: World) -> None:
    with pytest.raises(NotFound):
        look(world.desk, PERMITS, token(world))
    with pytest.raises(NotFound):
        do(world.desk, PERMITS, token(world))


@pytest.mark.parametrize(("who", "hours"), [("x" * 101, 1), ("a\nb", 1), ("Ann", 0), ("Ann", 1000)])
def test_value_that_is_not_offered_is_refused(world: World, who: str, hours: int) -> None:
    fires(world)
    with pytest.raises(Unprocessable):
        do(world.desk, PERMITS, token(world, Act.SILENCE), who, hours)
    assert world.control.silences.current(world.clock.now()) == []
