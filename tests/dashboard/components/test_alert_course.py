from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.components.alert_course import alert_course, reach
from dashboard.palette import LIGHT
from tests.browser.scenes import alerts, endpoint
from tests.dashboard.support import NOW
from tests.dashboard.test_shell import text_of

ALERT = alerts()[0]


@pytest.mark.parametrize(
    ("since", "back"),
    [(timedelta(minutes=2), "1h"), (timedelta(minutes=50), "6h"), (timedelta(days=6), "30d")],
    ids=["minutes", "nearly an hour", "days"],
)
def test_the_range_reaches_to_before_the_alert_began(since: timedelta, back: str) -> None:
    assert reach(replace(ALERT, since=NOW - since), NOW) == back


def test_an_alert_of_no_endpoint_or_without_a_chart_has_none() -> None:
    assert reach(replace(ALERT, labels={"environment": "production"}), NOW) is None
    assert reach(replace(ALERT, kind="certificate_expiry"), NOW) is None
    assert reach(replace(ALERT, since=NOW - timedelta(days=40)), NOW) is None


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("error_rate", "Attempt error rate"),
        ("slow_processing", "Processing time"),
        ("queue_depth", "Queue depth"),
    ],
)
def test_the_chart_shows_what_the_rule_measures(kind: str, title: str) -> None:
    shown = alert_course(replace(ALERT, kind=kind), endpoint(), "1h", LIGHT)
    assert text_of(shown).startswith(title)
    assert "the last hour; dotted: when it began" in text_of(shown)
