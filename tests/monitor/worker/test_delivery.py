"""The outbox worked off: delivered, tried again, given up, handed over, in order."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from alerts.message import Links
from alerts.model import Alert, Delivery, Evidence, Notification, Severity, State, Why
from alerts.notifier import key_of
from monitor.errors import Conflict
from monitor.worker.delivery import Delivery as Job
from tests.alerts.world import NOW
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.books import Entry, FakeChannel, MemoryBook


def notification(reason: Why = Why.FIRING, fallback: str | None = None) -> Notification:
    state = State.RESOLVED if reason is Why.RESOLVED else State.FIRING
    alert = Alert(
        "f" * 32,
        "error_rate",
        "error_rate",
        Severity.ERROR,
        {"source": "stripe", "endpoint": "payments"},
        state,
        NOW,
        NOW,
        Evidence("12 % failed"),
        firing_since=NOW,
        resolved_at=NOW if state is State.RESOLVED else None,
        episode=1,
    )
    return Notification(key_of(alert, "team", reason), "team", reason, alert, NOW, fallback)


class Desk:
    """The job, two channels and a clock."""

    def __init__(self, *waiting: Notification) -> None:
        self.book, self.clock = MemoryBook(), FakeClock(NOW)
        self.book.entries = {one.key: Entry(one) for one in waiting}
        self.team, self.pager = FakeChannel("team"), FakeChannel("pager")
        channels = {"team": self.team, "pager": self.pager}
        self.job = Job(
            self.book, lambda: channels, Links("https://hooks.example.com"), self.clock.now, lambda: 0.5
        )

    def deliveries(self) -> list[Delivery]:
        return [entry.delivery for entry in self.book.entries.values()]

    def run_for(self, length: timedelta, step: timedelta = timedelta(seconds=1)) -> None:
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.job.run(1)
            self.clock.move(step)


def test_due_notification_is_delivered_once() -> None:
    desk = Desk(notification())
    assert desk.job.run(1) == "delivered firing of error_rate to team"
    desk.run_for(timedelta(minutes=1))
    assert (len(desk.team.sent), desk.deliveries()) == (1, [Delivery.DELIVERED])


def test_failing_channel_is_tried_again_until_it_takes_the_message() -> None:
    desk = Desk(notification())
    desk.team.broken = True
    assert "failed (down), next try at" in desk.job.run(1)
    desk.run_for(timedelta(minutes=10))
    assert desk.deliveries() == [Delivery.DUE]
    tries = next(entry.tries for entry in desk.book.entries.values())
    assert 3 < tries < 12
    desk.team.broken = False
    desk.run_for(timedelta(minutes=20))
    assert (len(desk.team.sent), desk.deliveries()) == (1, [Delivery.DELIVERED])


def test_channel_that_fails_for_a_day_is_given_up() -> None:
    desk = Desk(notification())
    desk.team.broken = True
    desk.run_for(timedelta(hours=25), timedelta(minutes=5))
    assert desk.deliveries() == [Delivery.GIVEN_UP]


def test_fallback_takes_over_from_a_channel_that_refuses_for_good() -> None:
    desk = Desk(notification(fallback="pager"))
    desk.team.broken, desk.team.retryable = True, False
    desk.run_for(timedelta(seconds=5))
    assert (len(desk.pager.sent), desk.deliveries()) == (1, [Delivery.GIVEN_UP, Delivery.DELIVERED])


def test_resolved_waits_for_the_firing_message_to_arrive() -> None:
    desk = Desk(notification(Why.RESOLVED), notification(Why.FIRING))
    desk.run_for(timedelta(seconds=10))
    assert [message.reason for message in desk.team.sent] == [Why.FIRING, Why.RESOLVED]


def test_resolved_is_dropped_when_the_firing_message_never_arrived() -> None:
    desk = Desk(notification(Why.RESOLVED), notification(Why.FIRING))
    desk.team.broken, desk.team.retryable = True, False
    desk.run_for(timedelta(seconds=10))
    assert desk.deliveries() == [Delivery.DROPPED, Delivery.GIVEN_UP]


def test_channel_that_is_no_longer_configured_is_given_up_visibly() -> None:
    desk = Desk(notification())
    job = Job(desk.book, dict, Links("https://x.example"), desk.clock.now, lambda: 0.5)
    assert "channel team is no longer configured" in job.run(1)
    assert desk.deliveries() == [Delivery.GIVEN_UP]


def test_worker_that_lost_the_lead_sends_nothing() -> None:
    desk = Desk(notification())
    with pytest.raises(Conflict):
        desk.job.run(2)
    assert desk.team.sent == []


def page(
    endpoint: str, reason: Why = Why.FIRING, at: timedelta = timedelta(0), rule: str = "down"
) -> Notification:
    one = notification(reason).alert
    alert = replace(
        one,
        rule=rule,
        fingerprint=f"{rule}-{endpoint}",
        labels={"environment": "production", "source": "stripe", "endpoint": endpoint},
    )
    return Notification(key_of(alert, "team", reason), "team", reason, alert, NOW + at)


def test_thirty_endpoints_of_one_source_make_one_message() -> None:
    desk = Desk(*(page(f"e{n}") for n in range(30)))
    assert desk.job.run(1) == "delivered firing of down at 30 places to team"
    assert desk.deliveries() == [Delivery.DELIVERED] * 30
    [message] = desk.team.sent
    assert message.title == "Error: down at 30 places"


def test_what_joins_a_group_later_waits_for_its_interval_and_goes_together() -> None:
    desk = Desk(page("e0"))
    desk.job.run(1)
    desk.clock.move(timedelta(seconds=10))
    for n in range(1, 4):
        late = page(f"e{n}", at=timedelta(seconds=10))
        desk.book.entries[late.key] = Entry(late)
    desk.run_for(timedelta(seconds=49))
    assert len(desk.team.sent) == 1
    desk.run_for(timedelta(seconds=5))
    assert [len(message.alerts) for message in desk.team.sent] == [1, 3]


def test_ends_are_gathered_too_and_come_after_their_firings() -> None:
    pages = [page(f"e{n}", reason) for n in range(5) for reason in (Why.RESOLVED, Why.FIRING)]
    desk = Desk(*pages)
    desk.run_for(timedelta(seconds=10))
    assert [(message.reason, len(message.alerts)) for message in desk.team.sent] == [
        (Why.FIRING, 5),
        (Why.RESOLVED, 5),
    ]


def test_channel_that_amends_hears_of_the_end_of_what_each_message_told_of() -> None:
    desk = Desk(page("alone"))
    desk.team.amends = True
    desk.job.run(1)
    desk.clock.move(timedelta(minutes=2))
    for n in range(3):
        later = page(f"e{n}")
        desk.book.entries[later.key] = Entry(later)
    desk.job.run(1)
    for name in ("alone", "e0", "e1", "e2"):
        over = page(name, Why.RESOLVED)
        desk.book.entries[over.key] = Entry(over)
    desk.run_for(timedelta(seconds=5))
    assert [(message.reason, len(message.alerts), message.earlier) for message in desk.team.sent] == [
        (Why.FIRING, 1, ""),
        (Why.FIRING, 3, ""),
        (Why.RESOLVED, 1, "team-1"),
        (Why.RESOLVED, 3, "team-2"),
    ]


def test_channel_that_gathers_nothing_gets_each_in_order() -> None:
    desk = Desk(page("a"), page("b", rule="slow"), page("c"))
    desk.team.gathers = False
    desk.job.run(1)
    assert [message.alert.labels["endpoint"] for message in desk.team.sent] == ["a", "b", "c"]


def test_what_waited_for_a_channel_that_was_down_for_half_an_hour_arrives_in_order() -> None:
    desk = Desk()
    desk.team.broken = True
    for minute in range(30):
        at = timedelta(minutes=minute)
        for one in (
            page(f"e{minute}", Why.FIRING, at, f"r{minute}"),
            page(f"e{minute}", Why.RESOLVED, at, f"r{minute}"),
        ):
            desk.book.entries[one.key] = Entry(one)
        desk.run_for(timedelta(minutes=1), timedelta(seconds=5))
    assert desk.team.sent == []
    desk.team.broken = False
    desk.run_for(timedelta(minutes=16))
    assert desk.deliveries() == [Delivery.DELIVERED] * 60
    for reason in (Why.FIRING, Why.RESOLVED):
        arrived = [message.alert.rule for message in desk.team.sent if message.reason is reason]
        assert arrived == [f"r{minute}" for minute in range(30)]


def test_message_that_alone_is_refused_holds_up_no_other() -> None:
    desk = Desk(page("a", rule="bad"), *(page("a", rule=f"r{n}") for n in range(4)))
    desk.team.refuses = {"bad"}
    desk.job.run(1)
    assert [message.alert.rule for message in desk.team.sent] == ["r0", "r1", "r2", "r3"]


def test_channel_that_is_down_is_asked_twice_not_for_each_that_waits() -> None:
    desk = Desk(*(page("a", rule=f"r{n}") for n in range(20)))
    desk.team.broken = True
    desk.job.run(1)
    assert desk.team.asked == 2


def test_channel_that_asks_for_time_is_left_alone_by_what_comes_meanwhile() -> None:
    desk = Desk(page("a", rule="r1"))
    desk.team.broken, desk.team.retry_after_s = True, 120.0
    desk.job.run(1)
    desk.team.broken = False
    new = page("a", rule="r2", at=timedelta(seconds=1))
    desk.book.entries[new.key] = Entry(new)
    desk.run_for(timedelta(seconds=119))
    assert desk.team.asked == 1
    desk.run_for(timedelta(seconds=5))
    assert [message.alert.rule for message in desk.team.sent] == ["r1", "r2"]


def test_clock_put_back_holds_nothing_back() -> None:
    desk = Desk(page("a"))
    desk.team.broken = True
    desk.job.run(1)
    desk.team.broken = False
    desk.clock.at -= timedelta(hours=1)
    desk.run_for(timedelta(seconds=5))
    assert len(desk.team.sent) == 1


def test_channel_that_stalls_holds_up_no_other() -> None:
    desk = Desk(page("a"))
    with ThreadPoolExecutor(1) as threads:
        desk.job.beside = threads.submit
        desk.team.broken = True
        desk.job.run(1)
        desk.clock.move(timedelta(seconds=10))
        desk.team.broken, desk.team.stall = False, Event()
        desk.job.run(1)
        urgent = replace(page("b"), key="b", channel="pager")
        desk.book.entries["b"] = Entry(urgent)
        assert desk.job.run(1) == "delivered firing of down to pager"
        assert (desk.team.sent, desk.job.busy) == ([], {"team"})
        desk.team.stall.set()
    assert (len(desk.team.sent), desk.job.busy, desk.job.failing) == (1, set(), set())
    assert desk.deliveries() == [Delivery.DELIVERED] * 2


def test_lead_lost_beside_is_logged_and_frees_the_channel(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(page("a"))
    desk.job.beside = lambda work: work()
    desk.team.broken = True
    desk.job.run(1)
    desk.clock.move(timedelta(seconds=10))
    desk.book.epoch, desk.team.broken = 2, False
    desk.job.run(1)
    assert "notifications to team: another worker leads" in caplog.text
    assert desk.team.sent == []
    assert desk.job.busy == set()
