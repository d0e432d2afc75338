"""Which channels an alert goes to, and which way it takes around one that does not work."""

from dataclasses import replace

from alerts.model import Alert, Route
from alerts.routing import routed_channels
from tests.alerts.samples import alert

CHAT, MAIL = Route(("chat",)), Route(("mail",), matchers={"source": "orum"})


def stuck(channel: str) -> Alert:
    return replace(alert(), kind="outbox_stuck", labels={"environment": "production", "channel": channel})


def test_an_alert_about_a_stuck_channel_goes_to_the_others_of_its_routes() -> None:
    assert set(routed_channels(stuck("pager"), [Route(("pager", "chat"))])) == {"chat"}


def test_where_its_routes_name_that_channel_alone_it_goes_to_any_other() -> None:
    assert set(routed_channels(stuck("chat"), [CHAT, MAIL])) == {"mail"}
    assert set(routed_channels(stuck("chat"), [Route(("chat",), fallback="desk")])) == {"desk"}


def test_the_only_channel_is_told_of_itself() -> None:
    assert set(routed_channels(stuck("chat"), [CHAT])) == {"chat"}


def test_another_alert_may_have_a_label_of_that_name() -> None:
    labelled = replace(alert(), labels={"channel": "chat"})
    assert set(routed_channels(labelled, [CHAT, MAIL])) == {"chat"}
