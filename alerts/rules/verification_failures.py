"""verification_failures: too large a share of deliveries did not verify, or many from one address, or will
not for long: clocks drift apart.

A rotated secret that was not rolled out looks like the first, a clock that runs wrong too; somebody who
forges may hide in good traffic and looks like the second. The reasons tell them apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerts.model import (
    ErrorCount,
    Evaluation,
    Evidence,
    Observations,
    Refusal,
    Rule,
    Severity,
    Target,
    Window,
)
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.rules.parameter import count, share
from alerts.wording import number, percent, span

MEANT: Mapping[str, str] = {
    "timestamp_in_future": " (a clock runs wrong)",
    "timestamp_too_old": " (a clock runs wrong, or old events come again)",
}
"""Reasons that do not say what is to be repaired."""


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    # A rejection is a delivery; a receiver that reports one without its status must not push the share above
    # 1.
    deliveries = max(window.deliveries, window.unverified)
    if deliveries < max(1, rule.min_sample):
        said = f"{number(deliveries)} deliveries to {target.place()} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=deliveries))]
    rate, burst = window.unverified / deliveries, rule.params["burst"]
    sample: Sequence[Refusal] = ()
    if 0 < burst < window.unverified or rate > rule.threshold:
        sample = _unverified(seen.refused(target, window.start_at, window.end_at), window)
    address, share = _commonest(sample)
    if rate <= rule.threshold and address and share >= rule.params["burst_share"]:
        return [_burst(rule, target, window, deliveries, sample)]
    if rate <= rule.threshold and _drifts(rule, window):
        return [_drift(rule, target, window)]
    whence = f", {percent(share)} of a sample from {address}" if address and share >= 0.5 else ""
    summary = (
        f"{percent(rate)} of deliveries to {target.place()} did not verify in {span(rule.window)} "
        f"(threshold {percent(rule.threshold)}), {number(window.unverified)} of {number(deliveries)}"
        f"{_mostly(window)}{whence}"
    )
    evidence = evidence_of(
        rule,
        window,
        summary,
        value=rate,
        unit="share",
        sample=deliveries,
        top_errors=_reasons(window),
        exemplars=[refusal.record_id for refusal in sample[:5]],
    )
    return [above(rule, target, evidence)]


def _burst(
    rule: Rule, target: Target, window: Window, deliveries: int, sample: Sequence[Refusal]
) -> Evaluation:
    address, share = _commonest(sample)
    summary = (
        f"{number(window.unverified)} deliveries to {target.place()} did not verify in {span(rule.window)} "
        f"(threshold {number(rule.params['burst'])} from one address), {percent(share)} of a sample from "
        f"{address}{_mostly(window)}; they are {percent(window.unverified / deliveries)} of all"
    )
    evidence = evidence_of(
        rule,
        window,
        summary,
        value=window.unverified,
        unit="events",
        sample=deliveries,
        top_errors=_reasons(window),
        exemplars=[refusal.record_id for refusal in sample[:5]],
        limit=rule.params["burst"],
    )
    return above(rule, target, evidence)


def _drifts(rule: Rule, window: Window) -> bool:
    share, verified = rule.params["off_time_share"], sum(window.answers.values())
    return 0 < share < window.off_time / max(1, verified) and verified >= max(1, rule.min_sample)


def _drift(rule: Rule, target: Target, window: Window) -> Evaluation:
    """Nothing is refused yet: what is to be repaired is a clock, and there is time for it."""
    verified, share = sum(window.answers.values()), rule.params["off_time_share"]
    summary = (
        f"{percent(window.off_time / verified)} of what verified at {target.place()} was signed more than "
        f"30 s before or after it came in {span(rule.window)} (threshold {percent(share)}), "
        f"{number(window.off_time)} of {number(verified)}: a clock runs wrong, and beyond the tolerance all "
        "is refused"
    )
    evidence = evidence_of(
        rule,
        window,
        summary,
        value=window.off_time / verified,
        unit="share",
        sample=verified,
        top_errors=(),
        exemplars=(),
        limit=share,
    )
    return above(rule, target, evidence, severity=min(rule.severity, Severity.WARNING, key=_rank))


def _rank(severity: Severity) -> int:
    return severity.rank


def _unverified(sample: Sequence[Refusal], window: Window) -> Sequence[Refusal]:
    """Without what was refused for a rate, a size or a form."""
    return [refusal for refusal in sample if refusal.reason in window.verification_failures]


def _commonest(sample: Sequence[Refusal]) -> tuple[str, float]:
    """The address that most of the sample came from, and its share; "" where receivers tell none."""
    counts = Counter(refusal.address for refusal in sample if refusal.address)
    if not counts:
        return "", 0.0
    address, n = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return address, n / len(sample)


def _mostly(window: Window) -> str:
    reasons = _reasons(window)
    return f", mostly {reasons[0].name}{MEANT.get(reasons[0].name, '')}" if reasons else ""


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
        params={"burst": 100, "burst_share": 0.5, "off_time_share": 0.5},
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    parameters={
        "burst": count(
            "also fires above so many from one address, whatever their share; 0: does not", off=True
        ),
        "burst_share": share("the share of a sample of them that one address must have sent"),
        "off_time_share": share("warns where so much of what verified was signed 30 s off; 0: does not"),
    },
)
