"""Twelve kinds of trouble at once: each wakes the on-call once, by a message that names it, and is told to be
over once. The stores, the jobs and the rules are those that are shipped; see bad_day.py. A healthy week wakes
nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerts.message import Links
from alerts.model import Severity, Why
from monitor.worker.delivery import Delivery
from monitor.worker.evaluation import Evaluation
from tests.alerts.rules.week import MONDAY, WEEK, Week, minutes
from tests.control import new_control
from tests.facts import sqlite_facts
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.bad_day import BEGINS, ENDS, START, BadDay, document, minute_of
from tests.monitor.worker.books import FakeChannel, MemoryBook


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadDay]:
    folder, clock = tmp_path_factory.mktemp("drill"), FakeClock(START)
    control = new_control(folder, clock)
    with sqlite_facts(folder) as (filled, facts):
        lived = BadDay(control, filled, facts, clock, document(folder))
        lived.live()
        yield lived
    control.close()


@dataclass(frozen=True)
class Page:
    """rule, says: what the one page is of, and names. within: minutes, until it leaves. over: minutes after
    the trouble until its end is told."""

    rule: str
    says: tuple[str, ...]
    within: int
    over: int


PAGES = {
    "stripe/payments": Page("failure_count", ("failures of stripe/payments in 5 min", "for good"), 3, 8),
    "github/pushes": Page(
        "ack_deadline", ("github/pushes were answered later than 8 s", "that of the handler 20"), 6, 20
    ),
    "adyen/notices": Page("verification_failures", ("adyen/notices did not verify", "bad_signature"), 6, 18),
    "orum/transfers": Page(
        "verification_failures", ("orum/transfers", "timestamp_in_future (a clock runs wrong)"), 6, 18
    ),
    "shop/orders": Page("queue_depth", ("queue inbox of shop/orders has waited", "events wait"), 18, 4),
    "mail/bounces": Page("endpoint_down", ("mail/bounces does not answer", "connection refused"), 8, 4),
    "bank/payouts": Page("certificate_expiry", ("certificate of bank/payouts expired",), 6, 4),
    "crm/contacts": Page("no_events", ("No event of crm/contacts for 1 h 1 min",), 64, 4),
    "billing/invoices": Page("failure_count", ("billing/invoices", "100 % of them invoice.voided"), 6, 8),
    "chat/messages": Page("retry_storm", ("chat/messages", "had been sent before", "that were done"), 6, 22),
    "ci/builds": Page("retry_storm", ("ci/builds", "had been sent before", "that had failed"), 6, 22),
    "sms/receipts": Page("stuck_events", ("events of sms/receipts have not ended within 15 min",), 20, 4),
}


@pytest.mark.parametrize("place", PAGES)
def test_each_trouble_is_one_page_that_names_it_in_time_and_one_end(day: BadDay, place: str) -> None:
    expected = PAGES[place]

    told = [one for one in day.oncall.sent if day.place_of(one) == place]

    assert [(one.alert.rule, one.reason) for one in told] == [
        (expected.rule, Why.FIRING),
        (expected.rule, Why.RESOLVED),
    ]
    page, end = told
    assert all(words in page.summary for words in expected.says), page.summary
    assert page.severity.rank >= Severity.ERROR.rank
    assert BEGINS < minute_of(page) <= BEGINS + expected.within
    assert ENDS < minute_of(end) <= ENDS + expected.over


def test_nobody_is_woken_for_anything_else(day: BadDay) -> None:
    assert {day.place_of(one) for one in day.oncall.sent} == PAGES.keys()
    assert len(PAGES) == 12
    assert "maps/places" in {to.place for to in day.endpoints}, "an endpoint that is well all day"


def test_what_is_no_page_is_a_ticket_in_the_teams_channel(day: BadDay) -> None:
    tickets = {
        (one.alert.rule, day.place_of(one)) for one in day.team.sent if one.severity is Severity.WARNING
    }

    assert {("dead_letters", "stripe/payments"), ("clock_skew", "")} <= tickets
    assert {rule for rule, _ in tickets} <= {"dead_letters", "clock_skew", "new_issue", "burn_rate"}


def test_a_healthy_week_wakes_nobody(tmp_path: Path) -> None:
    """With its nights, its weekend, its bursts and small faults. The jobs are the same; the counts are made
    up, since to store all records of a week would take minutes."""
    file, clock, world = document(tmp_path), FakeClock(MONDAY), Week()
    oncall, team = FakeChannel("oncall"), FakeChannel("team")
    book = MemoryBook()
    judging = Evaluation(
        lambda now: world,
        file.effective_rules,
        file.effective_routes,
        book,
        clock.now,
        inhibitions=file.effective_inhibitions,
    )
    channels, links = {"oncall": oncall, "team": team}, Links("https://hooks.example.com")
    telling = Delivery(book, lambda: channels, links, clock.now, lambda: 0.5)

    for now in minutes(MONDAY, MONDAY + WEEK):
        clock.move(now - clock.now())
        world.now = now
        judging.run(book.epoch)
        telling.run(book.epoch)

    assert oncall.sent == []
    # one event in fifty thousand is given up, on this healthy installation too
    assert {one.alert.rule for one in team.sent} == {"dead_letters"}
