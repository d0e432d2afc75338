"""verification_failures: too large a share of deliveries did not verify. A rotated secret that was not rolled
out looks like this, and so does somebody who forges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import ErrorCount, Evaluation, Evidence, Observations, Rule, Severity, Target, Window
from alerts.rules.kind import Kind, above, evidence_of, no_data, observed_window
from alerts.wording import number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    # A rejection is a delivery; a receiver that reports one without its status must not push the share above
    # 1.
    deliveries = max(window.deliveries, window.unverified)
    if deliveries < max(1, rule.min_sample):
        said = f"{number(deliveries)} deliveries to {target.place()} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=deliveries))]
    rate = window.unverified / deliveries
    summary = (
        f"{percent(rate)} of deliveries to {target.place()} did not verify in {span(rule.window)} "
        f"(threshold {percent(rule.threshold)}), {number(window.unverified)} of {number(deliveries)}"
    )
    evidence = evidence_of(
        rule,
        window,
        summary,
        value=rate,
        unit="share",
        sample=deliveries,
        top_errors=_reasons(window),
        exemplars=(),  # the failures a window names are of handlers, not of signatures
    )
    return [above(rule, target, evidence)]


def _reasons(window: Window) -> tuple[ErrorCount, ...]:
    """Rejection reasons, most frequent first."""
    counts = [ErrorCount(reason, count) for reason, count in window.verification_failures.items() if count]
    return tuple(sorted(counts, key=lambda item: (-item.count, item.name)))


KIND = Kind(
    name="verification_failures",
    about="The share of deliveries refused for signature, time or address is above the threshold.",
    unit="share",
    defaults=Rule(
        name="verification_failures",
        kind="verification_failures",
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
