"""The weekly mail: on Mondays, once, in the report's own time zone."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from alerts.errors import ChannelError, Failure
from monitor.queries.sla import week_bounds
from monitor.reports.sla import SlaReport, Week, sla_report
from monitor.worker.reporting import Plan, Reporting
from tests.monitor.clocks import FakeClock

SUNDAY = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


class Desk:
    """The job, a mailbox, and what was noted."""

    def __init__(self, at: datetime = SUNDAY, zone: str = "UTC") -> None:
        self.clock = FakeClock(at)
        self.mails: list[tuple[datetime, EmailMessage]] = []
        self.noted: list[str] = []
        self.down = False
        zone_info = ZoneInfo(zone)
        self.plan: Plan | None = Plan(
            zone_info, 6, "production", "hookvitals@example.com", ["boss@example.com"], [], {}, self.send
        )
        self.job = Reporting(lambda: self.plan, self.build, self, self.clock.now)

    def send(self, mail: EmailMessage) -> None:
        if self.down:
            raise ChannelError(Failure.CONNECT, "down", retryable=True)
        self.mails.append((self.clock.now(), mail))

    def build(self, week: str, plan: Plan, as_of: datetime) -> SlaReport:
        start_at, end_at = week_bounds(week, plan.zone)
        return sla_report(Week(week, plan.zone.key, plan.environment, start_at, end_at), {}, [], as_of)

    def has(self, week: str, plan: Plan) -> bool:
        return week in self.noted

    def note(self, report: SlaReport, sent_at: datetime, epoch: int) -> None:
        self.noted.append(report.week.name)

    def run_for(self, length: timedelta, step: timedelta = timedelta(minutes=10)) -> None:
        for _ in range(length // step):
            self.job.run(1)
            self.clock.move(step)


def test_report_of_last_week_leaves_on_monday_at_its_hour_and_once() -> None:
    desk = Desk()
    desk.run_for(timedelta(days=3))
    [(sent_at, mail)] = desk.mails
    assert sent_at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert mail["Subject"] == "Webhook report 2026-W47, production"
    assert desk.noted == ["2026-W47"]


def test_each_monday_has_its_report() -> None:
    desk = Desk()
    desk.run_for(timedelta(days=15), timedelta(hours=1))
    assert desk.noted == ["2026-W47", "2026-W48", "2026-W49"]


def test_hour_is_local_to_the_report() -> None:
    desk = Desk(zone="America/New_York")
    desk.run_for(timedelta(days=1))
    assert desk.mails[0][0] == datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def test_worker_that_slept_through_monday_sends_on_the_day_it_wakes() -> None:
    desk = Desk(datetime(2026, 11, 25, 15, 0, tzinfo=UTC))
    assert desk.job.run(1) == "sent the report of 2026-W47 to boss@example.com"


def test_report_that_could_not_leave_is_sent_later() -> None:
    desk = Desk(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    desk.down = True
    with pytest.raises(ChannelError):
        desk.job.run(1)
    desk.down = False
    desk.run_for(timedelta(hours=1))
    assert len(desk.mails) == 1


def test_empty_week_is_no_data() -> None:
    desk = Desk(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    desk.job.run(1)
    body = desk.mails[0][1].get_body(("plain",))
    assert body is not None
    assert "no data" in body.get_content().lower()


def test_no_plan_sends_nothing() -> None:
    desk = Desk(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    desk.plan = None
    assert desk.job.run(1) == ""
