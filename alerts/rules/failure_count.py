"""failure_count: too many attempts failed, whatever their share; meant for a burst that a rate would
dilute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, evidence_of, no_data, observed_window
from alerts.wording import number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    if window.attempts < max(1, rule.min_sample):
        said = f"{number(window.attempts)} attempts at {target.place()} in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said, sample=window.attempts))]
    summary = (
        f"{number(window.failures)} failures of {target.place()} in {span(rule.window)} "
        f"(threshold {number(rule.threshold)}), {number(window.dead_lettered)} of them for good"
    )
    evidence = evidence_of(
        rule, window, summary, value=window.failures, unit="failures", sample=window.attempts
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="failure_count",
    about="The number of failed attempts within the window is above the threshold.",
    unit="failures",
    defaults=Rule(
        name="failure_count",
        kind="failure_count",
        severity=Severity.CRITICAL,
        threshold=10,
        window=timedelta(minutes=5),
        interval=timedelta(seconds=60),
    ),
    evaluate=evaluate,
)
