"""error_rate and failure_count: the one type that is out, and the edges of shares and counts."""

from __future__ import annotations

from datetime import datetime

import pytest

from alerts.model import Evaluation, Rule, Target, Verdict, Window
from alerts.rules import KINDS, make
from tests.alerts.world import NOW, PAYMENTS, World, attempts


def typed(good: int, bad: int, of_type: tuple[int, int]) -> World:
    """A world whose endpoint had these attempts, and of them its one type so many good and bad ones."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        succeeded, failed = of_type if target.event_type else (good, bad)
        return Window(target, start_at, end_at, succeeded=succeeded, failed=failed)

    return World(window_of=window, event_types=("voided",))


def judged(world: World, rule: Rule) -> Evaluation:
    [found] = KINDS[rule.kind].evaluate(rule, PAYMENTS, world, NOW)
    return found


@pytest.mark.parametrize(
    ("of_type", "verdict"),
    [((29, 30), Verdict.BREACH), ((29, 29), Verdict.OK), ((0, 10), Verdict.BREACH), ((0, 9), Verdict.OK)],
)
def test_a_type_is_out_when_more_than_half_of_ten_failed(of_type: tuple[int, int], verdict: Verdict) -> None:
    world = typed(1000 - of_type[1], of_type[1], of_type)
    assert judged(world, make("error_rate", min_sample=10)).verdict is verdict


def test_a_type_that_is_out_is_shown_as_the_endpoints_alert() -> None:
    """At exactly the threshold of the endpoint too."""
    found = judged(typed(950, 50, (5, 45)), make("error_rate"))
    assert (found.verdict, found.labels.get("event_type")) == (Verdict.BREACH, None)
    shown = found.evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (0.9, 0.5, "share", 50)


@pytest.mark.parametrize(
    ("succeeded", "failed", "verdict", "cleared"),
    [
        (980, 20, Verdict.BREACH, False),  # just 2 %
        (981, 20, Verdict.OK, False),
        (395, 5, Verdict.OK, True),  # no more than the clearing count, though 1.25 %
        (394, 6, Verdict.OK, False),
    ],
)
def test_a_count_is_over_by_number_or_by_half_the_share(
    succeeded: int, failed: int, verdict: Verdict, cleared: bool
) -> None:
    found = judged(attempts(succeeded, failed), make("failure_count"))
    assert (found.verdict, found.cleared) == (verdict, cleared)
