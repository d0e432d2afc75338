"""One recipient of several is refused for a while: told later, alone, once, and of the end as well."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.channels.adapted import Adapted
from alerts.channels.email import Email
from alerts.message import Links
from alerts.model import Delivery as Stage
from alerts.model import Notification, Route, Severity, State, Why
from alerts.notifier import due
from monitor.store.control.notifications import enqueue
from monitor.worker.delivery import Delivery
from tests.alerts.channels.test_email import channel
from tests.alerts.mailserver import MailServer, receiving
from tests.alerts.samples import alert
from tests.control import lead, new_control
from tests.monitor.clocks import START, FakeClock

ANN, BOB = "ann@example.com", "bob@example.com"
GREYLISTED = "451 4.7.1 come back later"
BOB_ALONE = f"mail for {BOB}"
MINUTE = timedelta(minutes=1)


class Desk:
    """A mail server, one alert, and the worker between them."""

    def __init__(self, folder: Path, server: MailServer) -> None:
        self.server, self.clock = server, FakeClock(START)
        self.control = new_control(folder, self.clock)
        self.epoch = lead(self.control)
        self.mail: Email | Adapted = channel(server)
        self.job = Delivery(
            self.control.notifications,
            lambda: {"mail": self.mail},
            Links("https://x.example"),
            self.clock.now,
            lambda: 0.5,
        )
        self.alert = alert()
        self.repeat = timedelta(hours=1)

    def becomes(self, state: State = State.FIRING, severity: Severity = Severity.ERROR) -> None:
        """What a round of the evaluator makes due for the alert."""
        self.alert = alert(state=state, severity=severity)
        decided = due(
            self.alert,
            routes=[Route(("mail",), repeat=dict.fromkeys(Severity, self.repeat))],
            silences=[],
            others=[],
            told=self.control.notifications.tellings([self.alert]).get(self.alert.fingerprint, ()),
            now=self.clock.now(),
        )
        self.add(*decided.notifications)

    def add(self, *notifications: Notification) -> None:
        with self.control.leading(self.epoch) as tx:
            enqueue(tx, notifications)

    def works_for(self, length: timedelta, step: timedelta = timedelta(seconds=10)) -> None:
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.job.run(self.epoch)
            self.clock.move(step)

    def read_by(self, person: str) -> list[str]:
        """The first words of each mail the server took for them, in order."""
        taken = [one for one in self.server.taken if person in one.recipients]
        return [str(one.mail["Subject"]).partition(":")[0] for one in taken]

    def outbox(self) -> list[tuple[str, Why, Stage]]:
        rows = self.control.notifications.of_alert(self.alert.fingerprint)
        found = [(row.notification.channel, row.notification.reason, row.delivery) for row in rows]
        return sorted(found)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with receiving(MailServer()) as server:
        found = Desk(tmp_path, server)
        yield found
        found.control.close()


def test_recipient_refused_for_a_while_is_told_later_and_the_others_never_twice(desk: Desk) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(5 * MINUTE)
    assert (desk.read_by(ANN), desk.read_by(BOB)) == (["Error"], [])
    desk.server.refuses = {}
    desk.works_for(10 * MINUTE, MINUTE)
    assert (desk.read_by(ANN), desk.read_by(BOB)) == (["Error"], ["Error"])
    assert desk.outbox() == [
        ("mail", Why.FIRING, Stage.DELIVERED),
        (BOB_ALONE, Why.FIRING, Stage.DELIVERED),
    ]
    rows = desk.control.notifications.of_alert(desk.alert.fingerprint)
    said = {row.notification.channel: row.error for row in rows}
    assert said["mail"] == f"{BOB} was refused for now (451)"
    both = [one.mail for one in desk.server.taken]
    assert both[0]["Message-ID"] == both[1]["Message-ID"]
    assert both[0]["To"] == both[1]["To"]


@pytest.mark.parametrize("later", [GREYLISTED, "550 5.1.1 no such user"], ids=["4xx for a day", "5xx"])
def test_recipient_who_stays_refused_is_given_up_visibly(desk: Desk, later: str) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(MINUTE)
    desk.server.refuses = {BOB: later}
    desk.works_for(timedelta(hours=26), timedelta(hours=2))
    [row] = [
        row
        for row in desk.control.notifications.of_alert(desk.alert.fingerprint)
        if row.notification.channel == BOB_ALONE
    ]
    assert (row.delivery, later[:3] in row.error) == (Stage.GIVEN_UP, True)
    desk.server.refuses = {}
    desk.becomes(State.RESOLVED)
    desk.works_for(MINUTE)
    assert (desk.read_by(ANN), desk.read_by(BOB)) == (["Error", "Resolved"], [])


def test_end_reaches_the_others_at_once_and_the_refused_one_after_its_firing(desk: Desk) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(MINUTE)
    desk.becomes(State.RESOLVED)
    desk.works_for(MINUTE)
    assert (desk.read_by(ANN), desk.read_by(BOB)) == (["Error", "Resolved"], [])
    desk.server.refuses = {}
    desk.works_for(20 * MINUTE, MINUTE)
    assert desk.read_by(ANN) == desk.read_by(BOB) == ["Error", "Resolved"]


def test_end_that_was_due_before_the_firing_was_refused_is_told_after_it(desk: Desk) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.becomes(State.RESOLVED)  # and no round of the evaluator looks at this episode again
    desk.works_for(MINUTE)
    desk.server.refuses = {}
    desk.works_for(20 * MINUTE, MINUTE)
    assert desk.read_by(ANN) == desk.read_by(BOB) == ["Error", "Resolved"]


def test_end_that_is_refused_for_a_while_is_told_later_too(desk: Desk) -> None:
    desk.becomes()
    desk.works_for(MINUTE)
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes(State.RESOLVED)
    desk.works_for(MINUTE)
    desk.server.refuses = {}
    desk.becomes(State.RESOLVED)
    desk.works_for(20 * MINUTE, MINUTE)
    assert desk.read_by(ANN) == desk.read_by(BOB) == ["Error", "Resolved"]


def test_what_follows_while_one_is_refused_reaches_each_once_and_in_order(desk: Desk) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(MINUTE)
    desk.becomes(severity=Severity.CRITICAL)
    desk.works_for(MINUTE)
    desk.clock.move(desk.repeat)
    desk.becomes(severity=Severity.CRITICAL)
    desk.works_for(MINUTE)
    said = ["Error", "Now critical", "Still critical"]
    assert (desk.read_by(ANN), desk.read_by(BOB)) == (said, [])
    desk.server.refuses = {}
    desk.works_for(20 * MINUTE, MINUTE)
    desk.clock.move(desk.repeat)
    desk.becomes(severity=Severity.CRITICAL)
    desk.works_for(MINUTE)
    desk.becomes(State.RESOLVED, Severity.CRITICAL)
    desk.works_for(MINUTE)
    said += ["Still critical", "Resolved"]
    assert desk.read_by(ANN) == desk.read_by(BOB) == said


def test_both_refused_in_turn_are_each_told_of_everything(desk: Desk) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(MINUTE)
    desk.server.refuses = {ANN: GREYLISTED}
    desk.works_for(MINUTE)
    desk.becomes(severity=Severity.CRITICAL)
    desk.works_for(2 * MINUTE)
    desk.becomes(State.RESOLVED, Severity.CRITICAL)
    desk.works_for(MINUTE)
    desk.server.refuses = {}
    desk.works_for(20 * MINUTE, MINUTE)
    assert desk.read_by(ANN) == desk.read_by(BOB) == ["Error", "Now critical", "Resolved"]


def test_group_leaves_out_only_whom_each_of_its_alerts_was_told_apart(desk: Desk) -> None:
    one, other = alert(), alert(endpoint="refunds")
    desk.server.refuses = {BOB: GREYLISTED}
    desk.add(Notification("1", "mail", Why.FIRING, one, START))
    desk.works_for(2 * MINUTE)
    desk.server.refuses = {}
    desk.works_for(20 * MINUTE, MINUTE)
    desk.add(Notification("2", "mail", Why.FIRING, other, desk.clock.now()))
    desk.works_for(2 * MINUTE)
    desk.add(
        Notification("3", "mail", Why.RESOLVED, one, desk.clock.now()),
        Notification("4", "mail", Why.RESOLVED, other, desk.clock.now()),
    )
    desk.works_for(5 * MINUTE)
    assert Counter(desk.read_by(ANN)) == Counter(desk.read_by(BOB)) == {"Error": 2, "Resolved": 2}


def test_recipient_taken_out_of_the_file_meanwhile_is_given_up(desk: Desk) -> None:
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(MINUTE)
    desk.mail = channel(desk.server, recipients=[ANN])
    desk.server.refuses = {}
    desk.works_for(20 * MINUTE, MINUTE)
    assert (desk.read_by(BOB), desk.outbox()[1]) == ([], (BOB_ALONE, Why.FIRING, Stage.GIVEN_UP))
    rows = desk.control.notifications.of_alert(desk.alert.fingerprint)
    assert [f"channel {BOB_ALONE} is no longer configured" in row.error for row in rows].count(True) == 1


def test_channel_with_settings_of_its_own_tells_the_refused_one_too(desk: Desk) -> None:
    desk.mail = Adapted(channel(desk.server), links=False)
    desk.server.refuses = {BOB: GREYLISTED}
    desk.becomes()
    desk.works_for(MINUTE)
    desk.server.refuses = {}
    desk.works_for(MINUTE)
    assert desk.read_by(ANN) == desk.read_by(BOB) == ["Error"]
