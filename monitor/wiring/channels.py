"""The channels of a document, ready to send. Secrets are followed here, and held by the channels alone."""

from collections.abc import Mapping
from typing import assert_never

from alerts.channels.channel import Channel, Receipt
from alerts.channels.email import Email
from alerts.channels.slack import Slack
from alerts.channels.smtp import Mailer
from alerts.channels.webhook import Webhook
from alerts.egress import Egress
from alerts.errors import AlertsError, ChannelError, Failure
from alerts.http import Client
from alerts.message import Message
from monitor.config import Document, resolve
from monitor.config.tables import ChannelTable, EmailTable, SlackTable, WebhookTable
from monitor.errors import ConfigError, HookvitalsError


class UnusableChannel:
    """Stands for a channel that could not be made: each message fails with the reason."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self.problem = problem

    def send(self, message: Message) -> Receipt:
        raise ChannelError(Failure.SETTINGS, f"channel {self.name}: {self.problem}", retryable=True)


def channels_of(document: Document, environ: Mapping[str, str]) -> dict[str, Channel]:
    """Every channel by name. One whose secret is missing is there too and fails each message with the
    reason: a retry succeeds once the secret is set."""
    egress = Egress(document.egress.allow)
    client = Client(egress)
    found: dict[str, Channel] = {}
    for table in document.channels:
        try:
            found[table.name] = _channel(table, environ, egress, client)
        except (HookvitalsError, AlertsError) as exc:
            found[table.name] = UnusableChannel(table.name, str(exc))
    return found


def mailer_of(document: Document, environ: Mapping[str, str], channel: str) -> tuple[Mailer, EmailTable]:
    """What sends the reports: the mail server of an email channel. Raises ConfigError for any other."""
    for table in document.channels:
        if table.name == channel and isinstance(table, EmailTable):
            return _mailer(table, environ, Egress(document.egress.allow)), table
    raise ConfigError(f'there is no email channel "{channel}"', "add one to hookvitals.toml")


def _channel(table: ChannelTable, environ: Mapping[str, str], egress: Egress, client: Client) -> Channel:
    if isinstance(table, SlackTable):
        return Slack(table.name, resolve(table.url, environ), client)
    if isinstance(table, EmailTable):
        return Email(table.name, _mailer(table, environ, egress), table.sender, table.recipients)
    if isinstance(table, WebhookTable):
        return Webhook(table.name, table.url, resolve(table.secret, environ), client)
    assert_never(table)


def _mailer(table: EmailTable, environ: Mapping[str, str], egress: Egress) -> Mailer:
    return Mailer(
        table.name,
        table.host,
        egress,
        port=table.port,
        security=table.security,
        username=table.username,
        password=resolve(table.password, environ) if table.password else "",
    )
