"""The weekly drill: once a week to every channel, at its hour, marked so that nobody mistakes it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.message import Links, compose
from alerts.model import Why
from monitor.config import stored
from monitor.errors import Conflict
from monitor.store.control import Control, upgrade
from monitor.wiring.drills import plan_of
from monitor.worker.drilling import LATEST, Drilling, Plan, last_due_at
from tests.monitor.clocks import FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
WEDNESDAY_10 = Plan(BERLIN, 2, 10, ["ops", "mail"])
DUE = datetime(2026, 11, 18, 9, tzinfo=UTC)  # ten o'clock in Berlin


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(DUE)


@pytest.fixture
def control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    upgrade(url)
    opened = Control.open(url, clock)
    yield opened
    opened.close()


def leader(control: Control, owner: str = "a") -> int:
    epoch = control.leases.take("worker", owner, control.leases.read("worker"))
    assert epoch is not None
    return epoch


def drilling(control: Control, clock: FakeClock, plan: Plan = WEDNESDAY_10) -> Drilling:
    return Drilling(lambda: plan, control.notifications, clock.now)


def outbox(control: Control, clock: FakeClock) -> list[str]:
    due = control.notifications.due(clock.now(), 100)
    return sorted(one.notification.channel for one in due)


def test_drill_goes_to_every_channel_once_a_week(control: Control, clock: FakeClock) -> None:
    epoch = leader(control)
    assert drilling(control, clock).run(epoch) == "the drill of 2026-W47 goes to 2 channels"
    for _ in range(100):
        clock.move(timedelta(minutes=10))
        assert drilling(control, clock).run(epoch) == ""  # a new job each time, as after a restart
    assert outbox(control, clock) == ["mail", "ops"]
    clock.move(DUE + timedelta(days=7) - clock.now())
    assert drilling(control, clock).run(epoch) == "the drill of 2026-W48 goes to 2 channels"


def test_drill_waits_for_its_hour_of_its_day(control: Control, clock: FakeClock) -> None:
    epoch = leader(control)
    clock.move(-timedelta(minutes=1))
    assert drilling(control, clock).run(epoch) == ""
    clock.move(timedelta(minutes=1))
    assert drilling(control, clock).run(epoch) != ""


def test_worker_that_was_away_makes_up_for_it_within_a_day_and_no_later(
    control: Control, clock: FakeClock
) -> None:
    epoch = leader(control)
    clock.move(LATEST + timedelta(minutes=1))
    assert drilling(control, clock).run(epoch) == ""
    clock.move(-timedelta(minutes=1))
    assert drilling(control, clock).run(epoch) != ""


def test_second_worker_adds_none_and_one_that_lost_the_lead_is_refused(
    control: Control, clock: FakeClock
) -> None:
    first = leader(control, "a")
    drilling(control, clock).run(first)
    second = leader(control, "b")
    assert drilling(control, clock).run(second) == ""
    with pytest.raises(Conflict):
        drilling(control, clock, Plan(BERLIN, 2, 10, ["late"])).run(first)
    assert outbox(control, clock) == ["mail", "ops"]


def test_hour_is_local_before_and_after_the_clocks_change() -> None:
    sunday_3 = Plan(BERLIN, 6, 3, ["ops"])
    assert last_due_at(sunday_3, datetime(2026, 10, 25, 12, tzinfo=UTC)) == datetime(
        2026, 10, 25, 2, tzinfo=UTC
    )
    assert last_due_at(sunday_3, datetime(2026, 10, 24, 12, tzinfo=UTC)) == datetime(
        2026, 10, 18, 1, tzinfo=UTC
    )


def test_message_says_first_that_it_is_a_drill(control: Control, clock: FakeClock) -> None:
    drilling(control, clock).run(leader(control))
    [first, _] = control.notifications.due(clock.now(), 100)
    said = compose(first.notification, Links("https://monitor.example"))
    assert said.title.startswith("[DRILL] Weekly drill of the channel ")
    assert "there is nothing to do" in said.summary
    assert (said.reason, said.is_exercise, said.acknowledge_url) == (Why.DRILL, True, "")


def test_document_switches_it_on_and_says_when() -> None:
    channels = [{"kind": "alertmanager", "name": "am", "url": "https://am.example"}]
    drill = {"enabled": True, "day": "friday", "hour": 9, "timezone": "Europe/Berlin"}
    assert plan_of(stored({"channels": channels, "drill": drill})) == Plan(BERLIN, 4, 9, ["am"])
    assert plan_of(stored({"channels": channels})) is None
    assert plan_of(stored({"drill": drill})) is None
