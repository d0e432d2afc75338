"""retry_storm: much of what arrives was sent before. The sender does not believe that we have it: answers
come too late, or are not the ones it expects, or its own retries have run wild."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.wording import number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    arrived = sum(window.answers.values())
    if arrived < max(1, rule.min_sample):
        said = f"{number(arrived)} deliveries to {target.place()} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=arrived))]
    # a duplicate that a receiver reports without its answer must not push the share above 1
    duplicates = min(window.duplicates, arrived)
    again = min(duplicates + window.redelivered, arrived)
    summary = (
        f"{percent(again / arrived)} of deliveries to {target.place()} in {span(rule.window)} had been sent "
        f"before (threshold {percent(rule.threshold)}), {number(again)} of {number(arrived)}: "
        f"{number(duplicates)} of events that were done, {number(again - duplicates)} of events that had "
        "failed"
    )
    evidence = evidence_of(rule, window, summary, value=again / arrived, unit="share", sample=arrived)
    return [above(rule, target, evidence)]


KIND = Kind(
    name="retry_storm",
    about="Too large a share of deliveries was of events that had been delivered before.",
    unit="share",
    defaults=Rule(
        name="retry_storm",
        kind="retry_storm",
        severity=Severity.ERROR,
        threshold=0.2,
        clear_threshold=0.15,
        window=timedelta(minutes=15),
        for_=timedelta(minutes=2),
        keep_firing_for=timedelta(minutes=5),
        min_sample=50,
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
)
