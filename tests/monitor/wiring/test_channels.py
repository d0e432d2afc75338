"""Channels made from a document."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.channels.email import Email
from alerts.channels.slack import Slack
from alerts.channels.webhook import Webhook
from alerts.errors import ChannelError
from alerts.message import Links, compose
from alerts.model import Alert, Evidence, Notification, Severity, State, Why
from monitor.config import Document, stored
from monitor.errors import ConfigError
from monitor.wiring.channels import channels_of, mailer_of
from tests.alerts.support import Service, serving

AT = datetime(2026, 11, 21, tzinfo=UTC)


def document(**slack: Any) -> Document:
    return stored(
        {
            "egress": {"allow": ["127.0.0.0/8"]},
            "channels": [
                {"kind": "slack", "name": "team", "url": {"env": "SLACK"}, **slack},
                {
                    "kind": "email",
                    "name": "desk",
                    "host": "mail.example.com",
                    "sender": "hookvitals@example.com",
                    "recipients": ["desk@example.com"],
                },
                {
                    "kind": "webhook",
                    "name": "own",
                    "url": "https://own.example.com/",
                    "secret": {"env": "OWN"},
                },
            ],
        }
    )


ENVIRON = {"SLACK": "https://hooks.slack.com/services/x", "OWN": "whsec_" + "QUJD" * 11}


def notification() -> Notification:
    alert = Alert(
        "f" * 32,
        "error_rate",
        "error_rate",
        Severity.ERROR,
        {"source": "stripe"},
        State.FIRING,
        AT,
        AT,
        Evidence("12 % failed"),
        firing_since=AT,
    )
    return Notification("k", "team", Why.FIRING, alert, AT)


def test_each_table_becomes_its_channel() -> None:
    channels = channels_of(document(), ENVIRON)
    assert {name: type(channel) for name, channel in channels.items()} == {
        "team": Slack,
        "desk": Email,
        "own": Webhook,
    }


def test_message_reaches_the_address_behind_the_reference() -> None:
    message = compose(notification(), Links("https://hooks.example.com"))
    with serving(Service()) as service:
        channels_of(document(), {**ENVIRON, "SLACK": f"{service.url}/services/x"})["team"].send(message)
    [seen] = service.seen
    assert seen.path == "/services/x"
    assert b"12 % failed" in seen.body


def test_channel_without_its_secret_fails_with_the_reason_and_the_others_stand() -> None:
    channels = channels_of(document(), {"OWN": ENVIRON["OWN"]})
    with pytest.raises(ChannelError, match="channel team: environment variable SLACK is not set") as failed:
        channels["team"].send(compose(notification(), Links("https://x.example")))
    assert failed.value.retryable
    assert isinstance(channels["desk"], Email)


def test_reports_need_a_mail_server() -> None:
    _, table = mailer_of(document(), ENVIRON, "desk")
    assert table.recipients == ("desk@example.com",)
    with pytest.raises(ConfigError, match='no email channel "team"'):
        mailer_of(document(), ENVIRON, "team")
