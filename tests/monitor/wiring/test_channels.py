"""Channels made from a document."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from alerts.channels.channel import Gathering
from alerts.channels.email import Email
from alerts.channels.slack import Slack
from alerts.channels.webhook import Webhook
from alerts.errors import ChannelError
from alerts.message import Links, compose
from alerts.model import Alert, Evidence, Notification, Severity, State, Why
from monitor.config import Document, stored
from monitor.config import channels as tables
from monitor.errors import ConfigError
from monitor.wiring.channels import MAKERS, channel_problems, channels_of, mailer_of
from tests.alerts.channels.cases import ALL
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


def one_of_each() -> list[dict[str, Any]]:
    return [
        {"kind": "slack", "name": "hook", "url": {"env": "SLACK"}},
        {"kind": "slack", "name": "bot", "token": {"env": "TOKEN"}, "channel": "C012345"},
        {
            "kind": "email",
            "name": "mail",
            "host": "mail.example.com",
            "sender": "a@example.com",
            "recipients": ["b@example.com"],
        },
        {"kind": "webhook", "name": "own", "url": "https://own.example.com/", "secret": {"env": "OWN"}},
        {"kind": "pagerduty", "name": "pager", "routing_key": {"env": "KEY"}},
        {"kind": "alertmanager", "name": "am", "url": "https://am.example.com"},
        {"kind": "apprise", "name": "any", "url": {"env": "ANY"}},
    ]


EVERY = {**ENVIRON, "TOKEN": "xoxb-1", "KEY": "e93facc04764012d7bfb002500d5d1a6", "ANY": "json://a.example"}


def problems(*channels: dict[str, Any], environ: dict[str, str] | None = None) -> list[tuple[Any, str]]:
    found = stored({"channels": list(channels)})
    return list(channel_problems(found, EVERY if environ is None else environ))


def test_each_kind_of_table_has_a_maker_a_suite_and_a_page() -> None:
    kinds = [get_args(table.model_fields["kind"].annotation)[0] for table in MAKERS]
    union = get_args(get_args(tables.ChannelTable)[0])
    assert set(union) == set(MAKERS)
    assert {table["kind"] for table in one_of_each()} == set(kinds)
    assert set(kinds) <= set(ALL)
    page = (Path(__file__).parents[3] / "docs" / "channels.md").read_text()
    assert [kind for kind in kinds if f'kind = "{kind}"' not in page] == []


def test_every_kind_is_made_and_its_secrets_show_nowhere() -> None:
    channels = channels_of(stored({"channels": one_of_each()}), EVERY)
    assert not [name for name, channel in channels.items() if hasattr(channel, "problem")]
    shown = repr(channels) + str(channels)
    assert not [secret for secret in EVERY.values() if secret in shown]


def test_first_line_of_its_own_and_no_links_change_no_other_trait() -> None:
    document = stored(
        {
            "channels": [
                {**table, "title": "{rule}", "links": False}
                for table in one_of_each()
                if table["kind"] != "alertmanager"
            ]
        }
    )
    gathers = {name: isinstance(channel, Gathering) for name, channel in channels_of(document, EVERY).items()}
    assert gathers == {"hook": True, "bot": True, "mail": True, "own": False, "pager": False, "any": True}


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        (
            {"kind": "webhook", "name": "a", "url": "http://10.0.0.1/", "secret": {"env": "OWN"}},
            "url",
            "egress.allow",
        ),
        ({"kind": "alertmanager", "name": "a", "url": "http://127.0.0.1:9093"}, "url", "egress.allow"),
        ({"kind": "alertmanager", "name": "a", "url": "http://169.254.169.254/"}, "url", "never dialled"),
        ({"kind": "slack", "name": "a", "url": {"env": "INSIDE"}}, "url", "egress.allow"),
        ({"kind": "slack", "name": "a", "url": {"env": "NOTHING"}}, "url", "NOTHING is not set"),
        ({"kind": "slack", "name": "a", "url": {"env": "NO_URL"}}, "url", "https://host/path"),
        (
            {"kind": "pagerduty", "name": "a", "routing_key": {"file": "/nowhere"}},
            "routing_key",
            "cannot be read",
        ),
        (
            {"kind": "pagerduty", "name": "a", "routing_key": {"env": "NO_URL"}},
            "routing_key",
            "integration key",
        ),
        (
            {"kind": "webhook", "name": "a", "url": "https://8.8.8.8/", "secret": {"env": "NO_URL"}},
            "secret",
            "openssl rand",
        ),
        (
            {"kind": "email", "name": "a", "host": "127.0.0.1", "sender": "a@b.c", "recipients": ["a@b.c"]},
            "host",
            "egress.allow",
        ),
        (
            {
                "kind": "email",
                "name": "a",
                "host": "8.8.8.8",
                "sender": "a@b.c",
                "recipients": ["a@b.c"],
                "security": "none",
                "username": "x",
            },
            "security",
            "password in clear",
        ),
    ],
)
def test_channel_that_could_not_send_is_found_when_the_file_is_checked(
    table: dict[str, Any], key: str, said: str
) -> None:
    environ = {**EVERY, "INSIDE": "http://10.0.0.1/s3cret", "NO_URL": "s3cret!"}
    [(location, text)] = problems(table, environ=environ)
    assert location == ("channels", 0, key)
    assert said in text
    assert "s3cret" not in text


def test_a_wrong_secret_does_not_hide_a_forbidden_address() -> None:
    table = {"kind": "webhook", "name": "a", "url": "https://10.0.0.1/"}
    for ref in ({"env": "NO_URL"}, {"env": "NOWHERE"}):
        found = problems({**table, "secret": ref}, environ={**EVERY, "NO_URL": "x"})
        assert [location for location, _ in found] == [("channels", 0, "secret"), ("channels", 0, "url")]


def test_name_that_leads_to_a_forbidden_network_is_found(tmp_path: Path) -> None:
    [(_, text)] = problems({"kind": "alertmanager", "name": "am", "url": "http://localhost:9093"})
    assert text.startswith("localhost resolves to ")
    assert "egress.allow" in text


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://10.0.0.1/s3cret", "egress.allow"), ("s3cret", "https://host/path"), (None, "is not set")],
)
def test_heartbeat_that_could_not_be_asked_is_found_too(url: str | None, said: str) -> None:
    document = stored({"heartbeat": {"url": {"env": "ALIVE"}}})
    [(location, text)] = channel_problems(document, {} if url is None else {"ALIVE": url})
    assert location == ("heartbeat", "url")
    assert said in text
    assert "s3cret" not in text


def test_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"drill\.timezone: .*Europe/Berlin"):
        stored({"drill": {"timezone": "Mars/Olympus"}})


def test_name_that_does_not_resolve_here_is_no_mistake_of_the_file() -> None:
    assert problems({"kind": "alertmanager", "name": "am", "url": "https://am.invalid"}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": "{severty}"}, "did you mean {severity}?"),
        (
            {"url": {"env": "A"}, "token": {"env": "B"}, "channel": "C012345"},
            "either url, or token and channel",
        ),
        ({"url": None, "token": {"env": "B"}}, "either url, or token and channel"),
        ({"url": None, "token": {"env": "B"}, "channel": "#general"}, "channel"),
        ({"url": "https://hooks.slack.com/x"}, "expected a reference to a secret"),
        ({"urls": {"env": "A"}}, "unknown key (did you mean url?)"),
    ],
)
def test_table_that_cannot_be_meant_so_is_refused(change: dict[str, Any], said: str) -> None:
    table = {"kind": "slack", "name": "team", "url": {"env": "SLACK"}, **change}
    stated = {key: value for key, value in table.items() if value is not None}
    with pytest.raises(ConfigError) as refused:
        stored({"channels": [stated]})
    assert said in str(refused.value)
