"""slow_processing: handlers take too long. It judges a quantile, since a mean hides the slow ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, evidence_of, no_data, observed_window
from alerts.wording import number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    times = window.process_ms
    place, q = target.place(), rule.params["quantile"]
    value = times.quantile(q)
    if value is None or times.count < max(1, rule.min_sample):
        said = f"{number(times.count)} timed attempts at {place} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=times.count))]
    slow_share = times.share_above(rule.threshold)
    summary = (
        f"p{q * 100:g} processing time of {place} was {number(round(value))} ms in {span(rule.window)} "
        f"(threshold {number(rule.threshold)} ms); {percent(slow_share)} of {number(times.count)} "
        "attempts took longer than that"
    )
    evidence = evidence_of(
        rule, window, summary, value=value, unit="ms", sample=times.count, exemplars=window.slow_exemplars
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="slow_processing",
    about="A quantile of the processing time (params.quantile, 0.95 as shipped) is above the threshold.",
    unit="ms",
    defaults=Rule(
        name="slow_processing",
        kind="slow_processing",
        severity=Severity.WARNING,
        threshold=5000,
        clear_threshold=4500,
        window=timedelta(minutes=15),
        for_=timedelta(minutes=1),
        keep_firing_for=timedelta(minutes=2),
        min_sample=20,
        params={"quantile": 0.95},
    ),
    evaluate=evaluate,
)
