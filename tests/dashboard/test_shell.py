from dataclasses import replace
from datetime import timedelta
from typing import Any

from dash.development.base_component import Component

from dashboard.components.alert import alert_card, suppressed_by, told
from dashboard.pages.alert import body
from dashboard.scope import Scope
from dashboard.shell import banners
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


def test_a_new_installation_shows_the_lines_to_paste() -> None:
    assert "from hookvitals import Receiver" in told_by(
        replace(WELL, ever_received=False, paste="from hookvitals import Receiver")
    )


def alert(**more: Any) -> AlertLine:
    given: dict[str, Any] = {"state": "firing", "since": NOW, **more}
    return AlertLine("a", "error_rate", "error_rate", "error", labels={}, summary="", **given)


def test_an_alert_says_who_was_told_or_why_nobody_was() -> None:
    assert told(alert(told=("slack", "email"))) == "told slack, email"
    assert told(alert(quiet="silence:ab12")) == "nobody was told: a silence covers it"
    assert told(alert(quiet="no_route")) == "nobody was told: no route leads to a channel"
    assert told(alert(state="pending")) == "nobody is told before it fires"


def test_an_alert_links_to_what_keeps_it_quiet() -> None:
    shown = suppressed_by(alert(quiet="alert:0123abcd"), Scope("production"))
    assert shown is not None
    assert "/alerts/0123abcd" in str(shown)
    hushed = suppressed_by(alert(quiet="silence:ab12"), Scope("production"))
    assert "/silences?q=ab12" in str(hushed)
    assert suppressed_by(alert(quiet="no_route"), Scope("production")) is None


def test_an_alert_that_was_told_says_what_keeps_it_quiet_now() -> None:
    assert (
        told(alert(told=("slack",), muted_by="silence:ab12")) == "told slack; quiet now: a silence covers it"
    )
    shown = suppressed_by(alert(told=("slack",), muted_by="silence:ab12"), Scope("production"))
    assert "/silences?q=ab12" in str(shown)


def test_a_card_says_that_an_alert_flaps_and_until_when_somebody_has_it() -> None:
    flapping = alert(flapping_since=NOW - timedelta(minutes=34))
    mira = alert(acked_by="mira", ack_note="on it", ack_until=NOW + timedelta(hours=2))
    said = text_of(alert_card(flapping, Scope(), VIEWER, NOW))
    assert "flapping  since  34 min ago , told once" in said
    assert "mira  has it , runs out  in 2 h : on it" in text_of(alert_card(mira, Scope(), VIEWER, NOW))


def test_the_alerts_page_says_who_else_was_told_as_nobody_took_it_on() -> None:
    def line(channel: str, reason: str, minutes: int) -> NotificationLine:
        at = NOW - timedelta(minutes=minutes)
        return NotificationLine(at, channel, reason, "delivered", 1, at, "")

    fires = alert(since=NOW - timedelta(minutes=20), ticket=True)
    sent = [line("phone", "escalated", 5), line("boss", "escalated", 10), line("old", "escalated", 90)]
    said = text_of(body(AlertView(fires, (), sent, ()), Scope(), NOW))
    assert "Escalated to boss  10 min ago , phone  5 min ago" in said
    assert "nobody took it on" in said
    assert "Ticket told once; its end is not told" in said
