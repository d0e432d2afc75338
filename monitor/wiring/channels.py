"""The channels of a document, ready to send. Secrets are followed here, and held by the channels alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from alerts.channels.adapted import Adapted
from alerts.channels.alertmanager import Alertmanager
from alerts.channels.apprise import Apprise
from alerts.channels.channel import Channel, Receipt
from alerts.channels.email import Email
from alerts.channels.pagerduty import PagerDuty
from alerts.channels.slack import Slack
from alerts.channels.slack_bot import SlackBot
from alerts.channels.smtp import Mailer
from alerts.channels.title import TitleTemplate
from alerts.channels.webhook import Webhook
from alerts.egress import Egress
from alerts.errors import AlertsError, ChannelError, Failure, RequestFailed, SettingInvalid
from alerts.http import Client, checked_host
from alerts.message import Message
from monitor.config import Document, resolve
from monitor.config.channels import (
    AlertmanagerTable,
    AppriseTable,
    ChannelTable,
    EmailTable,
    PagerDutyTable,
    Read,
    SlackTable,
    WebhookTable,
)
from monitor.config.tables import Table
from monitor.config.toml_file import Location
from monitor.config.values import SecretRef
from monitor.errors import ConfigError, HookvitalsError


@dataclass(frozen=True, slots=True)
class Means:
    """What a channel is made with."""

    environ: Mapping[str, str]
    allow: Sequence[str]
    egress: Egress
    client: Client

    def secret(self, ref: SecretRef | None) -> str:
        """What the reference leads to; empty for none. Raises ConfigError."""
        return resolve(ref, self.environ) if ref else ""


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
    means = _means(document, environ)
    found: dict[str, Channel] = {}
    for table in document.channels:
        try:
            found[table.name] = _channel(table, means)
        except (HookvitalsError, AlertsError) as exc:
            found[table.name] = UnusableChannel(table.name, str(exc))
    return found


def mailer_of(document: Document, environ: Mapping[str, str], channel: str) -> tuple[Mailer, EmailTable]:
    """What sends the reports: the mail server of an email channel. Raises ConfigError for any other."""
    for table in document.channels:
        if table.name == channel and isinstance(table, EmailTable):
            return _mailer(table, _means(document, environ)), table
    raise ConfigError(f'there is no email channel "{channel}"', "add one to hookvitals.toml")


def channel_problems(document: Document, environ: Mapping[str, str]) -> Iterator[tuple[Location, str]]:
    """(where, what is wrong) of each channel that could not send from here, and of the heartbeat: a secret
    that is missing or malformed, an address that may not be dialled.

    A name that does not resolve is no mistake of the file.
    """
    found = channel_findings(document, environ)
    return ((where, said) for where, said, is_mistake in found if is_mistake)


def channel_findings(document: Document, environ: Mapping[str, str]) -> Iterator[tuple[Location, str, bool]]:
    """The same, and each name that does not resolve: (where, what, whether it is a mistake of the file).

    It follows references and asks DNS, so a check on another machine than the worker's may say more or less.
    """
    means = _means(document, environ)
    for at, table in enumerate(document.channels):
        missing = list(_missing(table, means))
        wrong = [(key, said, True) for key, said in missing] if missing else list(_unmade(table, means))
        for key, said, is_mistake in [*wrong, *_undiallable(table, means)]:
            yield ("channels", at, key) if key else ("channels", at), said, is_mistake
    yield from ((("heartbeat", key), said, True) for key, said in _missing(document.heartbeat, means))
    for key, said, is_mistake in _undiallable(document.heartbeat, means):
        yield ("heartbeat", key), said, is_mistake


def _missing(table: Table, means: Means) -> Iterator[tuple[str, str]]:
    for key in type(table).model_fields:
        ref = getattr(table, key)
        if isinstance(ref, SecretRef):
            try:
                means.secret(ref)
            except ConfigError as exc:
                yield key, str(exc)


def _unmade(table: ChannelTable, means: Means) -> Iterator[tuple[str, str, bool]]:
    """(key, what is wrong, True) of a channel that cannot be made; the key is empty where none is known."""
    try:
        _channel(table, means)
    except SettingInvalid as exc:
        yield exc.key, str(exc), True
    except (HookvitalsError, AlertsError) as exc:
        yield "", str(exc), True


def _undiallable(table: Table, means: Means) -> Iterator[tuple[str, str, bool]]:
    """(key, what is wrong, whether that is sure) where the channel would connect to and may not, or cannot
    for want of an address, as far as its settings tell. What Apprise dials only Apprise knows; it is judged
    when it does."""
    for key in DIALLED:
        value = getattr(table, key, None)
        unused = key == "api_url" and getattr(table, "token", None) is None
        if value is None or unused or isinstance(table, AppriseTable):
            continue
        try:
            address = means.secret(value) if isinstance(value, SecretRef) else str(value)
            if key != "host":
                checked_host(address)
                address = urlsplit(address).hostname or ""
            means.egress.addresses(address, 443)
        except ConfigError:
            continue  # told of as missing
        except RequestFailed as exc:
            yield key, str(exc), exc.reason is not Failure.DNS


DIALLED = ("url", "host", "api_url", "events_url")
"""Keys of the tables that say where a channel connects to."""


def _means(document: Document, environ: Mapping[str, str]) -> Means:
    egress = Egress(document.egress.allow)
    return Means(environ, document.egress.allow, egress, Client(egress))


def _channel(table: ChannelTable, means: Means) -> Channel:
    made = MAKERS[type(table)](table, means)
    if not isinstance(table, Read) or (table.title is None and table.links):
        return made
    return Adapted(made, None if table.title is None else TitleTemplate(table.title), links=table.links)


def _slack(table: SlackTable, means: Means) -> Channel:
    if table.token is not None:
        token, channel = means.secret(table.token), table.channel or ""
        return SlackBot(table.name, token, channel, means.client, api_url=table.api_url)
    return Slack(table.name, means.secret(table.url), means.client)


def _email(table: EmailTable, means: Means) -> Channel:
    return Email(table.name, _mailer(table, means), table.sender, table.recipients)


def _webhook(table: WebhookTable, means: Means) -> Channel:
    return Webhook(table.name, table.url, means.secret(table.secret), means.client)


def _pagerduty(table: PagerDutyTable, means: Means) -> Channel:
    key = means.secret(table.routing_key)
    return PagerDuty(table.name, key, means.client, events_url=table.events_url)


def _alertmanager(table: AlertmanagerTable, means: Means) -> Channel:
    value = means.secret(table.authorization)
    return Alertmanager(table.name, table.url, means.client, authorization=value)


def _apprise(table: AppriseTable, means: Means) -> Channel:
    return Apprise(table.name, means.secret(table.url), means.allow)


MAKERS: Mapping[type[Table], Callable[[Any, Means], Channel]] = {
    SlackTable: _slack,
    EmailTable: _email,
    WebhookTable: _webhook,
    PagerDutyTable: _pagerduty,
    AlertmanagerTable: _alertmanager,
    AppriseTable: _apprise,
}
"""How each kind of table becomes its channel."""


def _mailer(table: EmailTable, means: Means) -> Mailer:
    return Mailer(
        table.name,
        table.host,
        means.egress,
        port=table.port,
        security=table.security,
        username=table.username,
        password=means.secret(table.password),
    )
