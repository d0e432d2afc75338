from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from dashboard.components.alert import alert_card, firing_list, lasts, told
from dashboard.pages.alert import body
from dashboard.scope import Scope
from dashboard.shell import announced, banners
from dashboard.views import AlertLine, AlertView, Job, NotificationLine, Role, ShellView, Viewer
from tests.dashboard.support import NOW

VIEWER = Viewer("mira", Role.VIEWER)
WELL = ShellView(("production",), NOW, ("slack",), (), 0, 0, True)


def text_of(shown: Any) -> str:
    """All text of components, in reading order."""
    if isinstance(shown, Component):
        return text_of(getattr(shown, "children", None))
    if isinstance(shown, list | tuple):
        return " ".join(filter(None, map(text_of, shown)))
    return "" if shown is None else str(shown)


def told_by(view: ShellView) -> str:
    return text_of(banners(view, NOW))


def test_all_well_says_nothing() -> None:
    assert banners(WELL, NOW) == []


def test_a_silent_collector_is_told_first_and_loudest() -> None:
    shown = banners(replace(WELL, heartbeat_at=NOW - timedelta(minutes=3), channels=()), NOW)
    assert "The monitor is blind." in text_of(shown[0])
    assert "last wrote 3 min ago" in text_of(shown[0])
    assert getattr(shown[0], "role", None) == "alert"
    assert "Alerts reach nobody." in text_of(shown[1])


def test_a_collector_that_never_wrote_is_silent_too() -> None:
    assert "has never written" in told_by(replace(WELL, heartbeat_at=None))


def test_one_late_job_is_named_and_many_are_one_line() -> None:
    late = [Job(name, 1.0, NOW - timedelta(minutes=9), True) for name in ("feed", "rules")]
    assert "A job is late: feed." in told_by(replace(WELL, late_jobs=late[:1]))
    shown = banners(replace(WELL, late_jobs=late), NOW)
    assert len(shown) == 1
    assert "2 jobs are late. feed, rules: last succeeded 9 min ago." in text_of(shown[0])


@pytest.mark.parametrize(
    ("firing", "said"), [(0, "No alert fires"), (1, "1 alert fires"), (2, "2 alerts fire")]
)
def test_a_screen_reader_is_told_how_many_fire(firing: int, said: str) -> None:
    assert announced(firing, "staging") == f"{said} in staging."


def test_a_new_installation_shows_the_lines_to_paste() -> None:
    assert "from hookvitals import Receiver" in told_by(
        replace(WELL, ever_received=False, paste="from hookvitals import Receiver")
    )


def alert(**more: Any) -> AlertLine:
    given: dict[str, Any] = {"state": "firing", "since": NOW, **more}
    return AlertLine("a", "error_rate", "error_rate", "error", labels={}, summary="", **given)


def said(one: AlertLine) -> str:
    return text_of(html.Div(told(one, Scope())))


def test_an_alert_says_who_was_told_or_why_nobody_was() -> None:
    assert said(alert(told=("slack", "email"))) == "told slack, email"
    assert said(alert(quiet="no_route")) == "nobody was told:  no route leads to a channel"
    assert said(alert(state="pending")) == "nobody is told before it fires"


def test_an_alert_links_to_what_keeps_it_quiet() -> None:
    explained, hushed = alert(quiet="alert:0123abcd"), alert(quiet="silence:ab12")
    assert said(explained) == "nobody was told:  another alert explains it"
    assert "/alerts/0123abcd" in str(told(explained, Scope()))
    assert said(hushed) == "nobody was told:  a silence covers it"
    assert "/silences?q=ab12" in str(told(hushed, Scope()))


def test_an_alert_that_was_told_says_what_keeps_it_quiet_now() -> None:
    quiet = alert(told=("slack",), muted_by="silence:ab12")
    assert said(quiet) == "told slack; quiet now:  a silence covers it"
    assert "/silences?q=ab12" in str(told(quiet, Scope()))


def test_an_alert_says_for_how_long_it_fires_or_fired() -> None:
    since = NOW - timedelta(minutes=20)
    over = alert(state="resolved", since=since, resolved_at=NOW - timedelta(minutes=5))
    assert text_of(html.Div(lasts(alert(since=since), NOW))) == "firing for  20 min"
    assert text_of(html.Div(lasts(over, NOW))) == "ended  5 min ago , fired for 15 min"


def test_what_has_resolved_calls_nobody() -> None:
    over = alert(state="resolved", resolved_at=NOW, runbook="https://runbooks.example.com/ledger")
    card = alert_card(over, Scope(), VIEWER, NOW)
    assert "pill-neutral" in str(card)
    assert "Runbook" not in text_of(card)


def test_the_worst_that_fire_are_a_line_each_and_the_rest_a_number() -> None:
    def one(severity: str, **more: Any) -> AlertLine:
        return replace(alert(**more), severity=severity, summary=f"a {severity} one")

    lines = [one("warning"), one("critical", acked_by="mira"), one("error"), one("info", state="pending")]
    shown = [text_of(line) for line in firing_list(lines, Scope(), NOW, most=2)]
    assert [line.split()[0] for line in shown] == ["critical", "error", "1"]
    assert "mira has it" in shown[0]
    assert firing_list([lines[-1]], Scope(), NOW, most=2) == []


def test_the_records_of_an_alert_are_those_since_it_began() -> None:
    old = replace(alert(since=NOW - timedelta(hours=3)), labels={"source": "orum", "endpoint": "transfers"})
    shown = body(AlertView(old, (), (), ()), Scope(), NOW)
    assert "/events?range=6h&source=orum&endpoint=transfers" in str(shown)
    ancient = replace(old, since=NOW - timedelta(days=40))
    assert "Its records" not in text_of(body(AlertView(ancient, (), (), ()), Scope(), NOW))


def test_a_card_says_that_an_alert_flaps_and_until_when_somebody_has_it() -> None:
    flapping = alert(flapping_since=NOW - timedelta(minutes=34))
    mira = alert(acked_by="mira", ack_note="on it", ack_until=NOW + timedelta(hours=2))
    shown = text_of(alert_card(flapping, Scope(), VIEWER, NOW))
    assert "flapping  for  34 min , told once" in shown
    assert "mira  has it , runs out  in 2 h : on it" in text_of(alert_card(mira, Scope(), VIEWER, NOW))


def test_the_alerts_page_says_who_else_was_told_as_nobody_took_it_on() -> None:
    def line(channel: str, reason: str, minutes: int) -> NotificationLine:
        at = NOW - timedelta(minutes=minutes)
        return NotificationLine(at, channel, reason, "delivered", 1, at, "")

    fires = alert(since=NOW - timedelta(minutes=20), ticket=True)
    sent = [line("phone", "escalated", 5), line("boss", "escalated", 10), line("old", "escalated", 90)]
    shown = text_of(body(AlertView(fires, (), sent, ()), Scope(), NOW))
    assert "Escalated to boss  10 min ago , phone  5 min ago" in shown
    assert "nobody took it on" in shown
    assert "Ticket told once; its end is not told" in shown
