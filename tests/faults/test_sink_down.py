"""A service that is down for half an hour: everything arrives afterwards, once and in order."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.channels.slack import Slack
from alerts.egress import Egress
from alerts.http import Client
from alerts.message import Links
from alerts.model import Delivery as Stage
from alerts.model import Notification, Why
from monitor.store.control.notifications import enqueue
from monitor.worker.delivery import Delivery
from tests.control import lead, new_control
from tests.e2e.catchers import slack_like
from tests.monitor.clocks import START, FakeClock
from tests.monitor.worker.test_delivery import page

pytestmark = pytest.mark.faults

LINKS = Links("https://hooks.example.com")
MINUTES = 30


def pair(minute: int, clock: FakeClock) -> list[Notification]:
    """A firing and its end, of an alert of that minute's own rule."""
    since = clock.now() - START
    told = (page("payments", why, since, f"rule_{minute:02}") for why in (Why.FIRING, Why.RESOLVED))
    return [Notification(one.key, "team", one.reason, one.alert, clock.now()) for one in told]


def test_all_that_came_due_while_the_sink_was_down_is_delivered_in_order(tmp_path: Path) -> None:
    clock = FakeClock(START)
    control = new_control(tmp_path, clock)
    epoch = lead(control)
    with slack_like() as (slack, url):
        channel = Slack("team", url, Client(Egress(["127.0.0.0/8"])))
        job = Delivery(
            control.notifications,
            lambda: {"team": channel},
            Links("https://x.example"),
            clock.now,
            lambda: 0.5,
        )
        slack.statuses = [503] * 10_000
        for minute in range(MINUTES):
            with control.leading(epoch) as tx:
                enqueue(tx, pair(minute, clock))
            for _ in range(3):
                job.run(epoch)
                clock.move(timedelta(seconds=20))
        asked = 10_000 - len(slack.statuses)
        assert slack.posted == []
        assert MINUTES < asked < 12 * MINUTES  # it is asked again, and not hammered

        slack.statuses.clear()
        for _ in range(16 * 3):
            job.run(epoch)
            clock.move(timedelta(seconds=20))

    for why in ("Error", "Resolved"):
        arrived = [text for text in slack.texts() if f"{why}: rule_" in text]
        rules = [text[text.index("rule_") :][:7] for text in arrived]
        assert rules == [f"rule_{minute:02}" for minute in range(MINUTES)]
    assert control.notifications.counts()[Stage.DELIVERED] == 2 * MINUTES
    control.close()
