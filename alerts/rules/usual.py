"""What is usual for a target at this hour of the week, and the limit that a rule draws above it.

A limit only ever lies below the rule's own threshold: what is usual excuses nothing, it tells sooner. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from alerts.model import Observations, Rule, Target, Window

FEWEST_WEEKS = 2

PARAMETERS: Mapping[str, str] = {
    "usual_factor": "also fires above so many times what is usual at this hour of the week; 0: does not",
    "usual_floor": "but never below this, in the threshold's unit",
    "usual_weeks": "how many past weeks make up what is usual",
    "usual_sample": "a past hour with less than this says nothing",
}
"""The parameters of a kind that asks for what is usual, and what they mean."""


@dataclass(frozen=True, slots=True)
class Usual:
    """value: the median of the past weeks, in the threshold's unit; None when they say too little. limit:
    what follows from it; None when nothing does."""

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
    found = [measured(window) for window in seen.past(target, now - rule.window, now, weeks)]
    values = [value for value, sample in found if value is not None and sample >= max(1, least)]
    if not values:
        return Usual()
    value, factor = median(values), rule.params["usual_factor"]
    if not factor or len(values) < FEWEST_WEEKS:
        return Usual(value)
    limit = max(rule.params["usual_floor"], factor * value)
    return Usual(value, limit if limit < rule.threshold else None)
