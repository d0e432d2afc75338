"""Services that are down for half an hour: everything arrives afterwards, once and in order."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.channels.channel import Channel
from alerts.channels.slack import Slack
from alerts.channels.webhook import Webhook
from alerts.http import Client
from alerts.message import Links
from alerts.model import Delivery as Stage
from alerts.model import Notification, Why
from monitor.store.control.notifications import enqueue
from monitor.worker.delivery import Delivery
from tests.alerts.channels.cases import KEY
from tests.alerts.channels.test_email import channel as email
from tests.alerts.mailserver import MailServer, receiving
from tests.alerts.support import Service, loopback_egress, serving
from tests.control import lead, new_control
from tests.monitor.clocks import START, FakeClock
from tests.monitor.worker.test_delivery import page

pytestmark = pytest.mark.faults

OUTAGE, EVERY, STEP = timedelta(minutes=30), timedelta(minutes=5), timedelta(minutes=1)
PATIENCE = timedelta(minutes=16)  # the longest pause between two tries is 15 minutes
ALERTS = [f"rule_{at:02}" for at in range(OUTAGE // EVERY)]
CHANNELS = ("chat", "mail", "own")

Said = list[tuple[str, str]]
"""(the alert's rule, "firing" or "resolved") in the order of arrival."""


class Sinks:
    """A chat, a mail server and somebody's own receiver, all down or all up."""

    def __init__(self, stack: ExitStack) -> None:
        self.chat = stack.enter_context(serving(Service(status=503)))
        self.own = stack.enter_context(serving(Service(status=503)))
        self.mail = stack.enter_context(receiving(MailServer(reply="451 4.3.0 try again later")))
        client = Client(loopback_egress())
        made: tuple[Channel, ...] = (
            Slack("chat", self.chat.url, client),
            email(self.mail),
            Webhook("own", self.own.url, KEY, client),
        )
        self.channels = {one.name: one for one in made}

    def come_back(self) -> int:
        """How many requests the two services refused until now."""
        asked = len(self.chat.seen) + len(self.own.seen)
        self.chat.seen.clear()
        self.own.seen.clear()
        self.chat.status = self.own.status = 200
        self.mail.reply = ""
        return asked

    def arrived(self) -> dict[str, Said]:
        subjects = (str(taken.mail["Subject"]) for taken in self.mail.taken)
        posted = (str(json.loads(seen.body)["text"]) for seen in self.chat.seen)
        own = (json.loads(seen.body) for seen in self.own.seen)
        return {
            "chat": list(_said(posted)),
            "mail": list(_said(subjects)),
            "own": list(_said(f"{one['type']} {one['data']['rule']}" for one in own)),
        }


def _said(texts: Iterator[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        [rule] = re.findall(r"rule_\d\d", text.splitlines()[0])
        yield rule, "resolved" if "resolved" in text.splitlines()[0].lower() else "firing"


def pairs(rule: str, clock: FakeClock) -> list[Notification]:
    """For each channel the firing of one alert, and its end."""
    told = (page("payments", why, rule=rule) for why in (Why.FIRING, Why.RESOLVED))
    return [
        Notification(f"{one.key}.{channel}", channel, one.reason, one.alert, clock.now())
        for one in told
        for channel in CHANNELS
    ]


def test_all_that_came_due_while_the_sinks_were_down_is_delivered_once_and_in_order(tmp_path: Path) -> None:
    clock = FakeClock(START)
    control = new_control(tmp_path, clock)
    epoch = lead(control)
    with ExitStack() as stack:
        sinks = Sinks(stack)
        links = Links("https://x.example")
        job = Delivery(control.notifications, lambda: sinks.channels, links, clock.now, lambda: 0.5)

        def works_for(length: timedelta) -> None:
            end = clock.now() + length
            while clock.now() < end:
                job.run(epoch)
                clock.move(STEP)

        for rule in ALERTS:
            with control.leading(epoch) as tx:
                enqueue(tx, pairs(rule, clock))
            works_for(EVERY)
        assert sinks.mail.taken == []
        assert 2 * len(ALERTS) < sinks.come_back() < 2 * 2 * (OUTAGE // STEP)  # asked again, not hammered
        works_for(PATIENCE)

        for channel, said in sinks.arrived().items():
            firings = [rule for rule, what in said if what == "firing"]
            ends = [rule for rule, what in said if what == "resolved"]
            assert (channel, firings, ends) == (channel, ALERTS, ALERTS)
            for rule in ALERTS:
                assert said.index((rule, "firing")) < said.index((rule, "resolved"))
    assert control.notifications.counts()[Stage.DELIVERED] == 2 * len(ALERTS) * len(CHANNELS)
    control.close()
