"""Reliability: once, in order, in time, tried again, and on record."""

from datetime import datetime

from alerts.wording import counted, number, seconds
from monitor import figures
from monitor.checklist.evidence import FRESH, Found, Judge, Shown, Verdict, latest, none_yet, seen
from monitor.histogram import Distribution
from monitor.model import Duration, Outcome
from monitor.rollup import Rollup

ENOUGH = 20
"""Deliveries from which on a quantile says something."""


def once(shown: Shown) -> Found:
    if shown.repeats.twice:
        twice, of = shown.repeats.twice, shown.repeats.looked_at
        said = f"{number(twice)} of {number(of)} recent events were processed twice"
        return Found(Verdict.FAIL, said, shown.now)
    copies = seen(shown.now, copied, shown.days)
    if copies.times:
        said = f"{counted(copies.times, 'duplicate')} recognised {copies.lately}"
        return Found(Verdict.PASS, said, copies.last)
    return none_yet(f"no event came twice in {FRESH.days} d", shown.now, copies.last)


def copied(one: Rollup) -> int:
    """Of the provider's, and of events that were done when they were replayed."""
    return one.outcome(Outcome.DUPLICATE) + one.outcome(Outcome.DUPLICATE, figures.REPLAYS)


def order(shown: Shown) -> Found:
    late = seen(shown.now, lambda one: one.outcome(Outcome.STALE), shown.days)
    if late.times:
        said = f"{counted(late.times, 'event')} out of order left aside {late.lately}"
        return Found(Verdict.PASS, said, late.last)
    return none_yet(f"no event came out of order in {FRESH.days} d", shown.now, late.last)


def within(limit_ms: float) -> Judge:
    """Whether 99 % of the answers of a week leave in time."""

    def judge(shown: Shown) -> Found:
        answers, last = shown.week.distribution(Duration.ACK), seen(shown.now, figures.deliveries, shown.days)
        if answers.count < ENOUGH:
            return none_yet(f"{counted(answers.count, 'answer')} timed in 7 d", shown.now, last.last)
        return in_time(answers, limit_ms, last.last)

    return judge


def in_time(answers: Distribution, limit_ms: float, on: datetime | None) -> Found:
    p99 = answers.quantile(0.99) or 0.0
    said = f"99 % of {number(answers.count)} answers within {seconds(p99)} (limit {seconds(limit_ms)})"
    return Found(Verdict.PASS if p99 <= limit_ms else Verdict.FAIL, said, on)


def retried(shown: Shown) -> Found:
    stuck = figures.stuck(shown.week)
    if stuck:
        return Found(Verdict.FAIL, f"{number(stuck)} acknowledged events have not ended", shown.now)
    failed = seen(shown.now, figures.failures, shown.days)
    mended = seen(shown.now, figures.recovered, shown.days)
    last = latest(failed.last, mended.last)
    if not failed.times and not mended.times:
        return none_yet(f"no attempt failed in {FRESH.days} d", shown.now, last)
    dead = seen(shown.now, lambda one: one.outcome(Outcome.DEAD_LETTERED), shown.days)
    said = (
        f"{counted(failed.times, 'failed attempt')} {failed.lately}, and nothing is stuck: dead letters"
        f" {number(dead.times)}, replayed to a good end {number(mended.times)}"
    )
    return Found(Verdict.PASS, said, last)


def logged(shown: Shown) -> Found:
    records = sum(shown.week.outcome(outcome) for outcome in Outcome)
    last = seen(shown.now, Rollup.records, shown.days).last
    if not records:
        return none_yet("no record in 7 d", shown.now, last)
    said = f"{number(records)} records in 7 d, each with id, type, times and outcome"
    return Found(Verdict.PASS, said, last)
