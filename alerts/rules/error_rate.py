"""error_rate: too large a share of a target's attempts failed. Replays and canaries do not count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, evidence_of, no_data, observed_window
from alerts.wording import number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    attempts, failures = window.attempts, window.failures
    if attempts < max(1, rule.min_sample):
        said = f"{number(attempts)} attempts at {target.place()} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=attempts))]
    rate = failures / attempts
    summary = (
        f"{percent(rate)} of {target.place()} failed in {span(rule.window)} "
        f"(threshold {percent(rule.threshold)}), {number(failures)} of {number(attempts)} attempts"
    )
    evidence = evidence_of(rule, window, summary, value=rate, unit="share", sample=attempts)
    return [above(rule, target, evidence)]


KIND = Kind(
    name="error_rate",
    about="The share of attempts that failed within the window is above the threshold.",
    unit="share",
    defaults=Rule(
        name="error_rate",
        kind="error_rate",
        severity=Severity.ERROR,
        threshold=0.05,
        clear_threshold=0.04,
        window=timedelta(minutes=15),
        for_=timedelta(minutes=1),
        keep_firing_for=timedelta(minutes=2),
        min_sample=20,
    ),
    evaluate=evaluate,
)
