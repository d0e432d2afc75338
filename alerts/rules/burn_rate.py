"""burn_rate: an SLO's budget of failed events is being used up faster than it lasts.

Burn rate = (dead letters / ended events) / (1 - objective): at 1 the budget of a period is gone exactly at
its end. The windows and factors are those of the Google SRE Workbook, chapter 5, "Alerting on SLOs", table
5-8: 14.4 over 1 h and 5 min (2 % of a 30-day budget), 6 over 6 h and 30 min (5 %), 1 over 3 d and 6 h (10 %).
The long window says that it matters, the short one that it still goes on. The first two page, the last is a
ticket.

Where few events arrive one failure can be a burn rate of hundreds; so the failures must also be evident
(`evident.py`). A target that no SLO covers is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target, Verdict, Window
from alerts.rules.budget import burn_rate, time_left, window_back
from alerts.rules.evident import is_evident
from alerts.rules.kind import Kind, above, evidence_of, no_data
from alerts.rules.parameter import days, factor
from alerts.wording import number, percent, span

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Burn:
    """One pair of windows and the factor that both must exceed."""

    long: timedelta
    short: timedelta
    factor: float
    severity: Severity


def burns(rule: Rule) -> tuple[Burn, ...]:
    """The pairs, the most urgent first; the rule's severity is that of the pages."""
    return (
        Burn(HOUR, 5 * MINUTE, rule.params["fast_factor"], rule.severity),
        Burn(6 * HOUR, 30 * MINUTE, rule.params["medium_factor"], rule.severity),
        Burn(3 * DAY, 6 * HOUR, rule.threshold, min(rule.severity, Severity.WARNING, key=_rank)),
    )


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    objective = seen.terms(target).objective
    if objective is None:
        return []
    longest = window_back(seen, target, now, 3 * DAY)
    if longest.ended < max(1, rule.min_sample):
        said = (
            f"{number(longest.ended)} events of {target.place()} ended in {span(3 * DAY)}, too few to judge"
        )
        return [no_data(rule, target, Evidence(said, sample=longest.ended))]
    for burn in burns(rule) if longest.dead_lettered else ():
        window = window_back(seen, target, now, burn.long)
        if _is_burning(burn, window, objective, rule) and (
            burn_rate(window_back(seen, target, now, burn.short), objective) > burn.factor
        ):
            return [_burning(rule, target, seen, now, burn, window, objective)]
    rate = burn_rate(longest, objective)
    summary = (
        f"{target.place()} uses its error budget {_times(rate)} as fast as it lasts over {span(3 * DAY)}: "
        f"{number(longest.dead_lettered)} of {number(longest.ended)} events were lost"
    )
    calm = evidence_of(rule, longest, summary, value=rate, unit="x", sample=longest.ended)
    # however high the rate over 3 d: it is over, or too little to be evident
    return [replace(above(rule, target, calm), verdict=Verdict.OK, cleared=True)]


def _is_burning(burn: Burn, window: Window, objective: float, rule: Rule) -> bool:
    return (
        window.ended >= rule.min_sample
        and burn_rate(window, objective) > burn.factor
        and is_evident(window.dead_lettered, window.ended, burn.factor * (1 - objective))
    )


def _burning(
    rule: Rule,
    target: Target,
    seen: Observations,
    now: datetime,
    burn: Burn,
    window: Window,
    objective: float,
) -> Evaluation:
    rate = burn_rate(window, objective)
    left = time_left(seen, target, now, rate, timedelta(days=rule.params["period_days"]))
    summary = (
        f"{percent(window.dead_lettered / window.ended)} of the events of {target.place()} were lost in "
        f"{span(burn.long)}, {_times(rate)} what {percent(objective)} allows (threshold {burn.factor:g}); "
        f"{left}"
    )
    evidence = evidence_of(
        rule, window, summary, value=rate, unit="x", sample=window.ended, limit=burn.factor
    )
    return above(rule, target, evidence, severity=burn.severity)


def _times(rate: float) -> str:
    return f"{number(round(rate, 1))} times"


def _rank(severity: Severity) -> int:
    return severity.rank


KIND = Kind(
    name="burn_rate",
    about="An SLO's error budget is used up faster over 3 d than the threshold allows, or far faster.",
    unit="x",
    defaults=Rule(
        name="burn_rate",
        kind="burn_rate",
        severity=Severity.CRITICAL,
        threshold=1,
        window=3 * DAY,
        keep_firing_for=5 * MINUTE,
        min_sample=20,
        params={"fast_factor": 14.4, "medium_factor": 6, "period_days": 30},
    ),
    evaluate=evaluate,
    parameters={
        "fast_factor": factor("the factor over 1 h and 5 min, which pages"),
        "medium_factor": factor("the factor over 6 h and 30 min, which pages"),
        "period_days": days("how long the budget is to last", least=1),
    },
)
