"""no_events: a source that should be sending has gone silent.

Two ways to say what "should" means. As shipped, the past says it: the target had enough events in this hour
of each of the past weeks, so nights, weekends and endpoints that are rarely used wake nobody. With
params.usual_weeks = 0 the threshold alone says it: a fixed interval, outside of the rule's quiet hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from alerts.hours import Hours, hours_of
from alerts.model import Evaluation, Evidence, NoData, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, no_data
from alerts.rules.parameter import count, weeks
from alerts.rules.usual import past_weeks
from alerts.wording import moment, number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    last_at = seen.last_event_at(target)
    if last_at is None:
        return [no_data(rule, target, Evidence(f"Nothing was ever received at {target.place()}"))]
    silence = max(now - last_at, timedelta(0))
    interval = timedelta(seconds=rule.threshold)
    if silence <= interval:
        return [
            _judged(rule, target, last_at, now, f"The last event of {target.place()} is {span(silence)} old")
        ]
    if any(hours.cover(now) or hours.cover(now - interval) for hours in quiet_hours(rule)):
        said = f"It is, or was within {span(interval)}, a quiet hour of {target.place()}"
        return [no_data(rule, target, Evidence(said))]
    usual = _fewest(rule, target, seen, now)
    if usual is not None and usual < max(1, rule.params["usual_events"]):
        said = f"No event of {target.place()} for {span(silence)}, which is usual at this time"
        return [_judged(rule, target, now, now, said)]
    there_were = "" if usual is None else f"; at least {number(usual)} came at this hour of each past week"
    return [
        _judged(
            rule,
            target,
            last_at,
            now,
            f"No event of {target.place()} for {span(silence)} (threshold {span(interval)}), "
            f"the last at {moment(last_at)}{there_were}",
        )
    ]


@lru_cache(maxsize=256)
def _parsed(texts: tuple[str, ...], timezone: str) -> tuple[Hours, ...]:
    found = []
    for text in texts:
        hours, _, days = text.strip().partition(" ")
        found.append(hours_of(hours, timezone, days))
    return tuple(found)


def quiet_hours(rule: Rule) -> tuple[Hours, ...]:
    """The rule's quiet hours by the clocks of its time zone. Raises ValueError, which says the expected
    form."""
    return _parsed(tuple(rule.quiet_hours), rule.timezone)


def _judged(rule: Rule, target: Target, last_at: datetime, now: datetime, summary: str) -> Evaluation:
    silence_s = max((now - last_at).total_seconds(), 0.0)
    evidence = Evidence(
        summary,
        value=silence_s,
        threshold=rule.threshold,
        unit="s",
        window_start_at=last_at,
        window_end_at=now,
        sample=1,
    )
    return above(rule, target, evidence)


def _fewest(rule: Rule, target: Target, seen: Observations, now: datetime) -> int | None:
    """The events of the same time of the past weeks, of the week with the fewest; None when none are
    asked."""
    weeks, length = int(rule.params["usual_weeks"]), timedelta(seconds=rule.threshold)
    past = past_weeks(rule, target, seen, now, length, weeks)
    return min((window.verified for window in past), default=None)


KIND = Kind(
    name="no_events",
    about="Nothing that verified arrived for longer than the threshold, at an hour that is usually busy.",
    unit="s",
    defaults=Rule(
        name="no_events",
        kind="no_events",
        severity=Severity.ERROR,
        threshold=3600,
        no_data=NoData.KEEP,
        params={"usual_weeks": 3, "usual_events": 20},
    ),
    evaluate=evaluate,
    least=60,
    parameters={
        "usual_weeks": weeks("how many past weeks must have been busy at this time; 0: every silence counts"),
        "usual_events": count("busy is at least so many events in that time"),
    },
)
