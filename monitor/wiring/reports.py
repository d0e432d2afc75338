"""What the document says about reports, in the reports' own words."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from monitor.config import Document, environment
from monitor.model import DEFAULT_ENVIRONMENT
from monitor.reports.sla import Objective
from monitor.wiring.channels import mailer_of
from monitor.worker.reporting import Plan


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
