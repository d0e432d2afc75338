"""From what was observed to what people read: each kind of the mission fires, is told, resolves, and is told
again, over a real HTTP service and a real mail server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.channels.channel import Channel
from alerts.channels.email import Email
from alerts.channels.slack import Slack
from alerts.channels.smtp import Mailer
from alerts.http import Client
from alerts.lifecycle import advance
from alerts.message import compose
from alerts.model import Alert, Delivery, Notification, Route, Rule, State, Telling
from alerts.notifier import Delivered, Turn, deliver, due, turn
from alerts.rules import make
from alerts.rules.evaluate import evaluate
from tests.alerts.mailserver import MailServer, receiving
from tests.alerts.samples import LINKS
from tests.alerts.support import Service, loopback_egress, serving
from tests.alerts.world import (
    NOW,
    World,
    attempts,
    certificate,
    deliveries,
    down,
    processing,
    queue,
)

ROUTES = [Route(("slack", "mail"))]


class Desk:
    """The worker's part in little: keeps alerts and an outbox in memory, sends what is due."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = {channel.name: channel for channel in channels}
        self.alerts: dict[str, Alert] = {}
        self.outbox: dict[str, Notification] = {}
        self.told: list[Telling] = []

    def round(self, rule: Rule, world: World) -> None:
        """One evaluation; what is due goes into the outbox and leaves at once."""
        for move in advance(self.alerts, evaluate([rule], world, NOW)):
            self.alerts[move.after.fingerprint] = move.after
        for alert in self.alerts.values():
            found = due(
                alert,
                routes=ROUTES,
                silences=(),
                others=self.alerts.values(),
                told=[telling for telling in self.told if telling.fingerprint == alert.fingerprint],
                now=NOW,
            )
            for notification in found.notifications:
                self._send(notification)

    def _send(self, notification: Notification) -> None:
        assert notification.key not in self.outbox
        self.outbox[notification.key] = notification
        alert = notification.alert
        mine = [telling for telling in self.told if telling.fingerprint == alert.fingerprint]
        assert turn(notification, mine) is Turn.SEND
        channel = self.channels[notification.channel]
        message = compose(notification, LINKS)
        outcome = deliver(notification, channel, message, tries=0, now=NOW, random=lambda: 0.5)
        assert isinstance(outcome, Delivered)
        self.told.append(
            Telling(
                alert.fingerprint,
                alert.episode,
                notification.channel,
                notification.reason,
                alert.severity,
                NOW,
                Delivery.DELIVERED,
            )
        )


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        ("error_rate", attempts(succeeded=50, failed=50), attempts(succeeded=100)),
        ("slow_processing", processing(*[9000.0] * 50), processing(*[20.0] * 50)),
        ("queue_depth", queue(5000), queue(3)),
        ("certificate_expiry", certificate(timedelta(days=-1)), certificate(timedelta(days=90))),
        ("endpoint_down", down(3), down(0)),
        ("verification_failures", deliveries(100, bad_signature=40), deliveries(100)),
    ],
)
def test_alert_and_its_end_reach_slack_and_mail_as_a_pair(kind: str, bad: World, good: World) -> None:
    rule = replace(make(kind), for_=timedelta(0), keep_firing_for=timedelta(0), interval=timedelta(seconds=1))
    with serving(Service()) as slack_service, receiving(MailServer()) as mail_server:
        egress = loopback_egress()
        mailer = Mailer("mail", "127.0.0.1", egress, port=mail_server.port, security="none")
        desk = Desk(
            [
                Slack("slack", f"{slack_service.url}/services/x", Client(egress)),
                Email("mail", mailer, "monitor@example.com", ["ann@example.com"]),
            ]
        )
        for world in (good, bad, bad, good, good):
            desk.round(rule, world)

    posts = [json.loads(seen.body)["text"] for seen in slack_service.seen]
    subjects = [taken.mail["Subject"] for taken in mail_server.taken]
    assert len(posts) == len(subjects) == 2
    assert f"{kind} at stripe/payments" in posts[0]
    assert not posts[0].startswith("🟢")
    assert posts[1].startswith(f"🟢 Resolved: {kind} at stripe/payments")
    assert subjects[1].startswith(f"Resolved: {kind} at stripe/payments")
    assert mail_server.taken[1].mail["References"] == mail_server.taken[0].mail["Message-ID"]
    [alert] = desk.alerts.values()
    assert (alert.state, alert.episode) == (State.RESOLVED, 1)
