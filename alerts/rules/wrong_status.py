"""wrong_status: the sender is answered what it does not take for "received", or what it must not.

What was rejected is meant to be refused and counts for no share. But a 2xx for a delivery that did not verify
tells a forger that it worked, and a sender whose secret was rotated that all is well: one such is critical.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerts.model import (
    ErrorCount,
    Evaluation,
    Evidence,
    Observations,
    Rule,
    Severity,
    Target,
    Window,
)
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.wording import number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    believed = _believed(window)
    if believed:
        return [_critical(rule, target, window, believed)]
    answered = sum(window.answers.values())
    if answered < max(1, rule.min_sample):
        said = f"{number(answered)} answers at {target.place()} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=answered))]
    expected = seen.terms(target).expected_statuses
    wrong = {status: n for status, n in window.answers.items() if status not in expected}
    share = sum(wrong.values()) / answered
    summary = (
        f"{percent(share)} of answers at {target.place()} were not what its sender expects "
        f"({', '.join(map(str, expected))}) in {span(rule.window)} (threshold {percent(rule.threshold)}), "
        f"{number(sum(wrong.values()))} of {number(answered)}{_most(wrong)}"
    )
    evidence = evidence_of(
        rule, window, summary, value=share, unit="share", sample=answered, top_errors=_counts(wrong)
    )
    return [above(rule, target, evidence)]


def _believed(window: Window) -> Mapping[int, int]:
    """2xx answers to what was rejected, where some of that did not verify."""
    if not window.unverified:
        return {}
    return {status: n for status, n in window.refusals.items() if n and 200 <= status < 300}


def _critical(rule: Rule, target: Target, window: Window, believed: Mapping[int, int]) -> Evaluation:
    count, refused = sum(believed.values()), sum(window.refusals.values())
    share = count / refused
    reasons = ", ".join(sorted(window.verification_failures))
    evidence = evidence_of(
        rule,
        window,
        f"{target.place()} answered 2xx to {number(count)} of {number(refused)} deliveries that it rejected "
        f"in {span(rule.window)} (threshold 0; {reasons}): whoever sent them takes them for received",
        value=share,
        unit="share",
        sample=refused,
        top_errors=_counts(believed),
        exemplars=(),  # the failures a window names are of handlers, not of signatures
        limit=0.0,
    )
    return above(rule, target, evidence, severity=Severity.CRITICAL)


def _counts(statuses: Mapping[int, int]) -> list[ErrorCount]:
    """Most frequent first."""
    ordered = sorted(statuses.items(), key=lambda pair: (-pair[1], pair[0]))
    return [ErrorCount(f"HTTP {status}", n) for status, n in ordered]


def _most(statuses: Mapping[int, int]) -> str:
    return f", mostly {max(statuses, key=lambda status: statuses[status])}" if statuses else ""


KIND = Kind(
    name="wrong_status",
    about="Too many answers were none that the source expects; a 2xx for what did not verify is critical.",
    unit="share",
    defaults=Rule(
        name="wrong_status",
        kind="wrong_status",
        severity=Severity.ERROR,
        threshold=0.05,
        clear_threshold=0.04,  # as error_rate, whose consequence it may be: not to outlive it
        window=timedelta(minutes=15),
        for_=timedelta(minutes=1),
        keep_firing_for=timedelta(minutes=2),
        min_sample=20,
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
)
