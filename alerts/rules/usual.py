"""What is usual for a target at this hour of the week, and the limit that a rule draws above it.

A limit only ever lies below the rule's own threshold: what is usual excuses nothing, it tells sooner. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from alerts.hours import weeks_before
from alerts.model import Observations, Rule, Target, Window
from alerts.rules.parameter import Parameter, count, factor, weeks

FEWEST_WEEKS = 2
"""One alone may have been a bad one."""


def parameters(floor: Parameter) -> Mapping[str, Parameter]:
    """Those of a kind that asks for what is usual. floor: below it nothing is too much, whatever is usual."""
    said = "also fires above so many times what is usual at this hour of the week; 0: does not"
    return {
        "usual_factor": factor(said, off=True),
        "usual_floor": floor,
        "usual_weeks": weeks("how many past weeks make up what is usual"),
        "usual_sample": count("a past hour with less than this says nothing"),
    }


@dataclass(frozen=True, slots=True)
class Usual:
    """value: the lower median of the past weeks, in the threshold's unit, so that as many bad weeks as good
    ones do not pass for what is normal; None when they say too little. limit: what follows from it; None when
    nothing does."""

    value: float | None = None
    limit: float | None = None


def usual(
    rule: Rule,
    target: Target,
    seen: Observations,
    now: datetime,
    measured: Callable[[Window], tuple[float | None, int]],
) -> Usual:
    """What is usual now. measured: the value of a past window, and of how many observations."""
    weeks, least = int(rule.params["usual_weeks"]), rule.params["usual_sample"]
    found = [measured(window) for window in past_weeks(rule, target, seen, now, rule.window, weeks)]
    values = [value for value, sample in found if value is not None and sample >= max(1, least)]
    if len(values) < FEWEST_WEEKS:
        return Usual()
    value, factor = median_low(values), rule.params["usual_factor"]
    if not factor:
        return Usual(value)
    limit = max(rule.params["usual_floor"], factor * value)
    return Usual(value, limit if limit < rule.threshold else None)


def past_weeks(
    rule: Rule, target: Target, seen: Observations, now: datetime, length: timedelta, weeks: int
) -> Sequence[Window]:
    """What the target did at this time of each of so many past weeks, by the clocks of the rule's time zone:
    office hours begin at the same hour there when clocks were changed meanwhile. The latest first."""
    ends = [weeks_before(now, n, rule.timezone) for n in range(1, weeks + 1)]
    return [seen.past(target, end_at - length, end_at) for end_at in ends]
