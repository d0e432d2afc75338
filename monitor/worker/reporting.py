"""The weekly report by mail: each Monday from its hour on, once a week, up to three days late.

Sent first and noted after: a crash between the two sends it once more under the same Message-ID.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol
from zoneinfo import ZoneInfo

from monitor.queries.sla import week_before, week_bounds
from monitor.reports.render import to_html, to_text
from monitor.reports.sla import Objective, SlaReport

KIND = "sla"
LATEST = timedelta(days=3)
"""A worker that was away sends this late; an installation of Thursday does not begin with an empty report."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When, for whom and about what. hour: local, of the Monday. send: hands a mail over, or raises."""

    zone: ZoneInfo
    hour: int
    environment: str
    sender: str
    recipients: Sequence[str]
    objectives: Sequence[Objective]
    expected: Mapping[str, Collection[int]]
    send: Callable[[EmailMessage], None]


class Sent(Protocol):
    """What was sent already."""

    def has(self, week: str, plan: Plan) -> bool: ...

    def note(self, report: SlaReport, sent_at: datetime, epoch: int) -> None: ...


class Build(Protocol):
    """Makes the report of a week from the facts."""

    def __call__(self, week: str, plan: Plan, as_of: datetime) -> SlaReport: ...


@dataclass(frozen=True, slots=True)
class Reporting:
    """The job. plan: None where the configuration wants no report."""

    plan: Callable[[], Plan | None]
    build: Build
    sent: Sent
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Sends last week's report when it is due and has not been sent."""
        plan, now = self.plan(), self.now()
        if plan is None:
            return ""
        week = week_before(now, plan.zone)
        late = now - due_at(week, plan)
        if not timedelta(0) <= late <= LATEST or self.sent.has(week, plan):
            return ""
        report = self.build(week, plan, now)
        plan.send(mail_of(report, plan, now))
        self.sent.note(report, now, epoch)
        return f"sent the report of {week} to {', '.join(plan.recipients)}"


def due_at(week: str, plan: Plan) -> datetime:
    """The Monday after the week, at the plan's hour of its zone."""
    _, end_at = week_bounds(week, plan.zone)
    monday = end_at.astimezone(plan.zone).date()
    return datetime.combine(monday, time(plan.hour), plan.zone)


def mail_of(report: SlaReport, plan: Plan, now: datetime) -> EmailMessage:
    """The report as text and HTML. The same report makes the same Message-ID."""
    mail = EmailMessage()
    mail["Subject"] = f"Webhook report {report.week.name}, {report.week.environment}"
    mail["From"] = plan.sender
    mail["To"] = ", ".join(plan.recipients)
    mail["Date"] = format_datetime(now)
    identity = f"{KIND}.{report.week.name}.{report.week.zone}.{report.week.environment}"
    domain = parseaddr(plan.sender)[1].rpartition("@")[2]
    mail["Message-ID"] = f"<{hashlib.sha256(identity.encode()).hexdigest()[:40]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(to_text(report))
    mail.add_alternative(to_html(report), subtype="html")
    return mail
