"""What a channel's table changes of its messages."""

from __future__ import annotations

from alerts.channels.adapted import Adapted
from alerts.channels.slack import Slack
from alerts.channels.title import TitleTemplate
from alerts.http import Client
from alerts.message import Links, compose
from alerts.model import Why
from alerts.permits import Permits
from tests.alerts.samples import message, notification
from tests.alerts.support import Service, loopback_egress, serving


def test_message_carries_the_channels_own_line_and_a_drill_still_says_so() -> None:
    with serving(Service()) as service:
        slack = Slack("team", service.url, Client(loopback_egress()))
        titled = Adapted(slack, TitleTemplate("{rule} broke"))
        titled.send(message())
        titled.send(message(reason=Why.DRILL))
    assert titled.name == "team"
    assert b"error_rate broke" in service.seen[0].body
    assert b"[DRILL] Weekly drill" in service.seen[1].body


def test_channel_that_many_read_can_do_without_links_that_act() -> None:
    said = compose(notification(), Links("https://monitor.example", Permits(b"k" * 32)))
    with serving(Service()) as service:
        slack = Slack("team", service.url, Client(loopback_egress()))
        slack.send(said)
        Adapted(slack, links=False).send(said)
    assert [b"/act/" in seen.body for seen in service.seen] == [True, False]
    assert all(b"/alerts/" in seen.body for seen in service.seen)
