"""evaluator_late: no round over the rules was completed lately, so nobody would be told of anything.

A hung round cannot say so itself: the worker's watch judges this rule from a thread of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, no_data
from alerts.wording import moment, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    last_at = seen.house().evaluated_at
    if last_at is None:
        return [no_data(rule, target, Evidence("The monitor has completed no round over its rules yet"))]
    late = max(now - last_at, timedelta(0))
    limit = timedelta(seconds=rule.threshold)
    said = f"The monitor has judged no rule for {span(late)} (threshold {span(limit)}), the last at"
    fine = f"Rules are judged; the last round was completed {span(late)} ago, at"
    evidence = Evidence(
        f"{said if late > limit else fine} {moment(last_at)}",
        value=late.total_seconds(),
        threshold=rule.threshold,
        unit="s",
        window_start_at=min(last_at, now),
        window_end_at=now,
        sample=1,
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="evaluator_late",
    about="No round over the rules was completed for longer than the threshold: nobody is told of news.",
    unit="s",
    defaults=Rule(
        name="evaluator_late",
        kind="evaluator_late",
        severity=Severity.CRITICAL,
        threshold=120,
        # after a restart the first round finds the last one old, and the next one all well
        for_=timedelta(seconds=30),
        interval=timedelta(seconds=15),
    ),
    evaluate=evaluate,
    least=30,
    on_monitor=True,
    retold=False,
)
