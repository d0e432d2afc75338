"""failure_count: many attempts failed at once. It is looked at over a few minutes, for a burst that a longer
rate would dilute; where traffic is so busy that as many fail on any good day, their share must say so too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target, Verdict
from alerts.rules.event_types import by_type, mostly
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.rules.parameter import share
from alerts.wording import number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    if window.attempts < max(1, rule.min_sample):
        said = f"{number(window.attempts)} attempts at {target.place()} in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said, sample=window.attempts))]
    summary = (
        f"{number(window.failures)} failures of {target.place()} in {span(rule.window)} "
        f"(threshold {number(rule.threshold)}), {number(window.dead_lettered)} of them for good; "
        f"{percent(window.failures / window.attempts)} of {number(window.attempts)} attempts"
    )
    if window.failures > rule.threshold:
        summary += mostly(by_type(seen, target, window), window)
    evidence = evidence_of(
        rule, window, summary, value=window.failures, unit="failures", sample=window.attempts
    )
    found = above(rule, target, evidence)
    share, least = window.failures / window.attempts, rule.params["least_share"]
    if share < least:
        found = replace(found, verdict=Verdict.OK, cleared=found.cleared or share < least / 2)
    return [found]


KIND = Kind(
    name="failure_count",
    about="The number of failed attempts within the window is above the threshold.",
    unit="failures",
    defaults=Rule(
        name="failure_count",
        kind="failure_count",
        severity=Severity.CRITICAL,
        threshold=10,
        clear_threshold=5,
        keep_firing_for=timedelta(minutes=2),
        window=timedelta(minutes=5),
        interval=timedelta(seconds=60),
        params={"least_share": 0.02},
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    parameters={"least_share": share("so large a part of the attempts must have failed")},
)
