"""The tables of hookvitals.toml that say where messages go: one class each kind of channel.

A new kind is a class here, its name in `ChannelTable`, and its maker in `monitor/wiring/channels.py`.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from alerts.channels.title import TitleTemplate
from monitor.config.tables import Name, Port, Table
from monitor.config.values import HttpUrl, SecretRef

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+|.*<[^@\s]+@[^@\s]+>")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,}")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("expected a mail address such as ann@example.com or Ann <ann@example.com>")
    return text


def _channel_id(text: str) -> str:
    if not _CHANNEL_ID.fullmatch(text):
        raise ValueError(
            "expected the id of a channel such as C012AB3CD; Slack shows it in the channel's details"
        )
    return text


MailAddress = Annotated[str, AfterValidator(_address)]


def _fillable(text: str) -> str:
    TitleTemplate(text)
    return text


Title = Annotated[str, AfterValidator(_fillable)]


class Channel(Table):
    """What every kind of channel has."""

    name: Name


class Read(Channel):
    """A channel that people read. title: a template for the first line, in place of the shipped one. links:
    whether messages carry links that acknowledge and silence without a login."""

    title: Title | None = None
    links: bool = True


class SlackTable(Read):
    """Slack: the `url` of an incoming webhook, or the `token` of an app and the id of a `channel` it was
    invited to; with a token one message is turned green when the alert ends. URL and token are secrets.

    api_url: another one for GovSlack.
    """

    kind: Literal["slack"]
    url: SecretRef | None = None
    token: SecretRef | None = None
    channel: Annotated[str, AfterValidator(_channel_id)] | None = None
    api_url: HttpUrl = "https://slack.com/api"

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.url is None) == (self.token is None) or (self.token is None) != (self.channel is None):
            raise ValueError("expected either url, or token and channel")
        return self


class EmailTable(Read):
    """A mailbox, reached by SMTP."""

    kind: Literal["email"]
    host: Annotated[str, Field(min_length=1)]
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretRef | None = None
    sender: MailAddress
    recipients: Annotated[tuple[str, ...], Field(min_length=1)]


class WebhookTable(Read):
    """Somebody's own receiver; messages are signed by Standard Webhooks."""

    kind: Literal["webhook"]
    url: HttpUrl
    secret: SecretRef


class PagerDutyTable(Read):
    """A PagerDuty service, by the routing key of its Events API v2 integration, which is a secret.

    events_url: `https://events.eu.pagerduty.com/v2/enqueue` for the EU region.
    """

    kind: Literal["pagerduty"]
    routing_key: SecretRef
    events_url: HttpUrl = "https://events.pagerduty.com/v2/enqueue"


class AlertmanagerTable(Channel):
    """A Prometheus Alertmanager: its address without /api. authorization: the whole value of the header."""

    kind: Literal["alertmanager"]
    url: HttpUrl
    authorization: SecretRef | None = None


class AppriseTable(Read):
    """Any service that Apprise knows, by its URL, which is a secret. Needs the extra `apprise`."""

    kind: Literal["apprise"]
    url: SecretRef


ChannelTable = Annotated[
    SlackTable | EmailTable | WebhookTable | PagerDutyTable | AlertmanagerTable | AppriseTable,
    Field(discriminator="kind"),
]
