"""queue_depth: events wait in a queue faster than they are worked off. One alert a queue.

It judges the latest sample, by depth and, unless max_age_s is 0, by the age of the oldest waiting event; an
old sample says nothing about now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.model import (
    Evaluation,
    Evidence,
    NoData,
    Observations,
    QueueSample,
    Rule,
    Severity,
    Target,
    Verdict,
)
from alerts.rules.kind import Kind, Reach, above, no_data
from alerts.rules.parameter import DAY_S, seconds
from alerts.wording import counted, number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    latest: dict[str, QueueSample] = {}
    for sample in seen.queues(target):
        known = latest.get(sample.queue)
        if known is None or sample.sampled_at > known.sampled_at:
            latest[sample.queue] = sample
    return [_judge(rule, target, sample, now) for sample in latest.values()]


def _judge(rule: Rule, target: Target, sample: QueueSample, now: datetime) -> Evaluation:
    own = {"queue": sample.queue}
    place = f"queue {sample.queue} of {target.place()}"
    if now - sample.sampled_at > rule.window:
        said = f"No sample of {place} for {span(now - sample.sampled_at)}"
        return no_data(rule, target, Evidence(said), more_labels=own)
    age_s, max_age_s = sample.oldest_age_s, rule.params["max_age_s"]
    waiting = "" if age_s is None else f"; the oldest has waited {span(timedelta(seconds=age_s))}"
    evidence = Evidence(
        summary=f"{_waits(sample.depth)} in {place} (threshold {number(rule.threshold)}){waiting}",
        value=sample.depth,
        threshold=rule.threshold,
        unit="events",
        window_start_at=sample.sampled_at,
        window_end_at=now,
        sample=1,
    )
    found = above(rule, target, evidence, more_labels=own)
    if found.verdict is Verdict.BREACH or age_s is None or not 0 < max_age_s < age_s:
        return found
    too_old = replace(
        evidence,
        summary=(
            f"The oldest event in {place} has waited {span(timedelta(seconds=age_s))} "
            f"(threshold {span(timedelta(seconds=max_age_s))}); {_waits(sample.depth)}"
        ),
        value=age_s,
        threshold=max_age_s,
        unit="s",
    )
    return replace(found, verdict=Verdict.BREACH, cleared=False, evidence=too_old)


def _waits(depth: int) -> str:
    return f"{counted(depth, 'event')} {'waits' if depth == 1 else 'wait'}"


KIND = Kind(
    name="queue_depth",
    about="More events wait in a queue than the threshold, or the oldest waits too long.",
    unit="events",
    defaults=Rule(
        name="queue_depth",
        kind="queue_depth",
        severity=Severity.ERROR,
        threshold=1000,
        clear_threshold=800,
        window=timedelta(minutes=5),
        for_=timedelta(minutes=2),
        no_data=NoData.KEEP,
        params={"max_age_s": 600},
    ),
    evaluate=evaluate,
    reach=Reach.FRESH,
    parameters={
        "max_age_s": seconds(
            "also fires when the oldest event waits longer; 0: does not", most=400 * DAY_S, off=True
        )
    },
)
