"""burn_rate: over which windows it looks, and how much it must see in them."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.model import Evaluation, Severity, Target, Terms, Verdict, Window
from alerts.rules import KINDS, make
from tests.alerts.world import NOW, PAYMENTS, World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def lost_within(length: timedelta, lost: int, ended: int, objective: float = 0.999) -> World:
    """A world in which all that was lost was lost within so long a time; before, all was well."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        dead = lost if end_at - start_at >= length else 0
        total = ended if end_at - start_at <= HOUR else 1_000_000
        return Window(target, start_at, end_at, succeeded=total - dead, dead_lettered=dead)

    return World(window_of=window, agreed=Terms(objective=objective))


def judged(world: World) -> Evaluation:
    [found] = KINDS["burn_rate"].evaluate(make("burn_rate"), PAYMENTS, world, NOW)
    return found


def test_each_pair_of_windows_is_of_the_lengths_of_the_workbook() -> None:
    """Each is asked while the long one burns and the short one no more does: the trouble is over."""
    asked = []

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        length = end_at - start_at
        asked.append(length)
        is_long = len(asked) in (1, 2, 4, 6)
        return Window(target, start_at, end_at, succeeded=9_000, dead_lettered=1_000 if is_long else 0)

    world = World(window_of=window, agreed=Terms(objective=0.999))
    assert judged(world).verdict is Verdict.OK
    assert asked == [3 * DAY, HOUR, 5 * MINUTE, 6 * HOUR, 30 * MINUTE, 3 * DAY, 6 * HOUR]


def test_a_handful_of_an_hour_is_no_page_though_the_three_days_have_plenty() -> None:
    assert judged(lost_within(MINUTE, lost=19, ended=19)).verdict is Verdict.OK
    page = judged(lost_within(MINUTE, lost=20, ended=20))
    assert (page.verdict, page.severity, page.evidence.sample) == (Verdict.BREACH, Severity.CRITICAL, 20)


def test_an_objective_so_low_that_no_rate_can_exceed_its_factor_never_pages() -> None:
    assert judged(lost_within(MINUTE, lost=50, ended=50, objective=0.9)).verdict is Verdict.OK
