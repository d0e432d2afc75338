"""What the document says about reports, in the reports' own words; and the reports that went out."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from monitor.config import Document, environment
from monitor.model import DEFAULT_ENVIRONMENT
from monitor.reports.render import to_json
from monitor.reports.sla import Objective, SlaReport
from monitor.store.control import Control
from monitor.store.control.reports import Report
from monitor.wiring.channels import mailer_of
from monitor.worker.reporting import KIND, Plan


def objectives_of(document: Document) -> list[Objective]:
    return [Objective(slo.name, slo.objective, slo.source, slo.endpoint) for slo in document.slos]


def expected_of(document: Document) -> Mapping[str, tuple[int, ...]]:
    """Per source the statuses of a good ack."""
    return {source.name: source.expected_statuses for source in document.sources}


def plan_of(document: Document) -> Plan | None:
    """The weekly mail; None where the document names no channel for it. Raises ConfigError."""
    wanted = document.report
    if wanted.channel is None:
        return None
    mailer, table = mailer_of(document, environment(), wanted.channel)
    recipients = wanted.recipients or table.recipients

    def send(mail: EmailMessage) -> None:
        mailer.send(mail, parseaddr(table.sender)[1], [parseaddr(one)[1] for one in recipients])

    return Plan(
        ZoneInfo(wanted.timezone),
        wanted.hour,
        DEFAULT_ENVIRONMENT,
        table.sender,
        recipients,
        objectives_of(document),
        expected_of(document),
        send,
    )


@dataclass(frozen=True, slots=True)
class SentReports:
    """The reports in control that went out."""

    control: Control

    def has(self, week: str, plan: Plan) -> bool:
        found = self.control.reports.find(KIND, week, plan.zone.key, plan.environment)
        return found is not None and found.sent_at is not None

    def note(self, report: SlaReport, sent_at: datetime, epoch: int) -> None:
        """Keeps the figures as they were sent."""
        about = report.week
        kept = Report(
            secrets.token_hex(16),
            KIND,
            about.name,
            about.zone,
            about.environment,
            report.as_of,
            json.loads(to_json(report)),
        )
        self.control.reports.keep(kept, epoch)
        found = self.control.reports.find(KIND, about.name, about.zone, about.environment)
        assert found is not None
        self.control.reports.sent(found.id, sent_at, epoch)
