"""What each silence hid, on either database, and the word to its author."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.hours import hours_of
from alerts.lifecycle import Move
from alerts.model import Alert, Route, Silence, Why
from monitor.errors import LeaseLost
from monitor.store.control import Control
from monitor.worker.reminding import Reminding
from tests.control import lead
from tests.monitor.clocks import START, FakeClock
from tests.monitor.store.control.test_alerts import firing

HOUR = timedelta(hours=1)
ONE = Silence("s1", {"source": "stripe"}, START, START + 10 * HOUR, "ann", "deploy")


def made(control: Control, one: Silence = ONE) -> None:
    with control.write() as tx:
        control.silences.add(tx, one, START)


def quiet(control: Control, epoch: int, alert: Alert, by: str = "silence:s1") -> None:
    control.book.commit([Move(None, replace(alert, muted_by=by))], [], epoch)


def test_a_silence_comes_back_with_its_hours(control: Control) -> None:
    nightly = replace(ONE, hours=hours_of("22:00-07:00", "Europe/Berlin", "mon-fri"))
    made(control, nightly)
    assert control.silences.current(START) == [nightly]
    assert control.silences.get("s1") == nightly
    assert control.silences.get("s2") is None


def test_what_a_silence_hid_is_noted_once_a_firing(control: Control, epoch: int) -> None:
    made(control)
    for episode in (1, 1, 2):
        quiet(control, epoch, firing(episode=episode))
    quiet(control, epoch, firing("queue_depth"), by="silence:upgrade")
    quiet(control, epoch, firing("no_events"), by="alert:abc")
    assert control.silences.hid(["s1", "upgrade", "s3"]) == {"s1": 2, "upgrade": 1}
    assert [(one.rule, one.episode) for one in control.silences.hidden("s1")] == [
        ("error_rate", 1),
        ("error_rate", 2),
    ]


def test_what_was_hidden_long_ago_is_forgotten(control: Control, epoch: int) -> None:
    quiet(control, epoch, firing())
    assert control.silences.purge(START, epoch) == 0
    assert control.silences.purge(START + HOUR, epoch) == 1
    assert control.silences.hidden("s1") == []


def told(control: Control) -> list[Why]:
    return [one.notification.reason for one in control.notifications.due(START + 100 * HOUR, 10)]


def test_author_is_warned_once_and_told_once_what_it_hid(
    control: Control, epoch: int, clock: FakeClock
) -> None:
    made(control)
    quiet(control, epoch, firing())
    job = Reminding(control.silences, lambda: [Route(("team",))], clock.now)
    assert job.run(epoch) == ""
    clock.move(9 * HOUR)
    assert job.run(epoch) == "silence s1 ends soon"
    assert job.run(epoch) == ""
    clock.move(HOUR)
    assert job.run(epoch) == "silence s1 has ended"
    assert job.run(epoch) == ""
    assert told(control) == [Why.REMINDER, Why.REMINDER]


def test_silence_that_a_person_ended_needs_no_word(control: Control, epoch: int, clock: FakeClock) -> None:
    made(control)
    quiet(control, epoch, firing())
    with control.write() as tx:
        control.silences.expire(tx, "s1", START + HOUR, "bob")
    clock.move(HOUR)
    assert Reminding(control.silences, lambda: [Route(("team",))], clock.now).run(epoch) == ""


def test_worker_that_lost_the_lead_reminds_nobody(control: Control, epoch: int, clock: FakeClock) -> None:
    made(control)
    clock.move(9 * HOUR)
    lead(control, "another")
    with pytest.raises(LeaseLost):
        Reminding(control.silences, lambda: [Route(("team",))], clock.now).run(epoch)
    assert told(control) == []
