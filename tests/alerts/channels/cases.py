"""Every channel as the suites need it: made for a service on loopback, with the answer that service gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from alerts.channels.alertmanager import Alertmanager
from alerts.channels.apprise import Apprise
from alerts.channels.channel import Channel
from alerts.channels.email import Email
from alerts.channels.pagerduty import PagerDuty
from alerts.channels.slack import Slack
from alerts.channels.slack_bot import SlackBot
from alerts.channels.smtp import Mailer
from alerts.channels.webhook import Webhook
from alerts.egress import Egress
from alerts.http import Client
from tests.alerts.samples import T0

PATH = "services/T0SECRET/B0SECRET/xoxSECRET"
KEY = "whsec_U0VDUkVUU0VDUkVUU0VDUkVUU0VDUkVUU0VDUkVU"
PASSWORD = "hunter2-SECRET"
TOKEN = "xoxb-0-SECRET"
ROUTING_KEY = "r0utingSECRETr0utingSECRETr0utin"
SECRETS = ("SECRET", KEY.removeprefix("whsec_"), PASSWORD)

Make = Callable[[int, tuple[str, ...], float], Channel]


def slack(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    url = f"http://127.0.0.1:{port}/{PATH}"
    return Slack("ops", url, Client(Egress(allow)), now=lambda: T0, timeout_s=timeout_s)


def slack_bot(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    api = f"http://127.0.0.1:{port}/api"
    return SlackBot(
        "ops", TOKEN, "C012345", Client(Egress(allow)), api_url=api, now=lambda: T0, timeout_s=timeout_s
    )


def webhook(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    url = f"http://127.0.0.1:{port}/{PATH}"
    return Webhook("ops", url, KEY, Client(Egress(allow)), now=lambda: T0, timeout_s=timeout_s)


def pagerduty(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    url = f"http://127.0.0.1:{port}/v2/enqueue"
    return PagerDuty(
        "ops", ROUTING_KEY, Client(Egress(allow)), events_url=url, now=lambda: T0, timeout_s=timeout_s
    )


def alertmanager(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    url = f"http://127.0.0.1:{port}"
    return Alertmanager(
        "ops",
        url,
        Client(Egress(allow)),
        authorization=f"Bearer {TOKEN}",
        now=lambda: T0,
        timeout_s=timeout_s,
    )


def apprise(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    pytest.importorskip("apprise")
    url = f"json://monitor:{PASSWORD}@127.0.0.1:{port}/{PATH}"
    return Apprise("ops", url, allow, timeout_s=timeout_s)


def mail(port: int, allow: tuple[str, ...], timeout_s: float) -> Channel:
    mailer = Mailer(
        "ops",
        "127.0.0.1",
        Egress(allow),
        port=port,
        security="tls",
        username="monitor",
        password=PASSWORD,
        timeout_s=timeout_s,
    )
    return Email("ops", mailer, "monitor@example.com", ["ann@example.com"])


@dataclass(frozen=True, slots=True)
class Case:
    """A channel that speaks HTTP. taken: what its service answers when all is well. keyed: whether its
    messages carry a key, so that a second copy does nothing."""

    make: Make
    taken: bytes = b""
    keyed: bool = True


OVER_HTTP = {
    "slack": Case(slack, b"ok", keyed=False),
    "slack_bot": Case(slack_bot, b'{"ok": true, "channel": "C012345", "ts": "1.2"}', keyed=False),
    "webhook": Case(webhook),
    "pagerduty": Case(pagerduty, b'{"status": "success"}'),
    "alertmanager": Case(alertmanager),
}
"""Those that answer for every status themselves; Apprise tells less, and has its own test."""

ALL = {**{name: case.make for name, case in OVER_HTTP.items()}, "email": mail, "apprise": apprise}
