"""What the demo promises, and how it knows."""

import pytest

from monitor.maintain.demo.catcher import Caught
from monitor.maintain.demo.story import CYCLE_S, FAILING_S, STEADY_S, Story, is_failing

FIRED = {
    "slack": "🔴 Critical: failure_count at acme/orders",
    "email": "Critical: failure_count at acme/orders",
}
RESOLVED = {
    "slack": "🟢 Resolved: failure_count at acme/orders",
    "email": "Resolved: failure_count at acme/orders",
}


def told(story: Story, titles: dict[str, str], at_s: float) -> None:
    for by, title in titles.items():
        story.caught(Caught(by, title, ""), at_s)


@pytest.mark.parametrize(
    ("elapsed_s", "failing"),
    [(0, False), (STEADY_S, True), (STEADY_S + FAILING_S, False), (CYCLE_S + STEADY_S, True)],
)
def test_failing_period_comes_soon_and_again(elapsed_s: float, failing: bool) -> None:
    assert is_failing(elapsed_s) is failing


def test_alert_counts_once_both_channels_were_told() -> None:
    story = Story()
    told(story, {"slack": FIRED["slack"]}, 50)
    assert story.promises()[0].kept_at_s is None
    told(story, {"email": FIRED["email"]}, 60)
    assert story.promises()[0].kept_at_s == 60
    assert story.promises()[0].is_kept()


def test_alert_that_came_too_late_breaks_the_promise() -> None:
    story = Story()
    told(story, FIRED, 121)
    assert not story.promises()[0].is_kept()


def test_other_rules_count_for_nothing() -> None:
    story = Story()
    told(story, {"slack": "🟡 Warning: dead_letters at acme/orders", "email": "Test: test at x"}, 10)
    assert [promise.kept_at_s for promise in story.promises()] == [None, None]


def test_two_minutes_are_enough_for_the_alert_and_six_for_its_end() -> None:
    story = Story()
    assert not story.is_shown(120)
    told(story, FIRED, 90)
    assert story.is_shown(120)
    assert not story.is_shown(360)
    told(story, RESOLVED, 250)
    assert story.is_shown(360)


def test_nothing_is_promised_for_the_first_minute() -> None:
    story = Story()
    told(story, FIRED, 30)
    assert not story.is_shown(60)
    assert not story.is_shown(None)
