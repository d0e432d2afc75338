"""endpoint_down: several probes in a row did not get through. One good probe ends it; one bad one starts
nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import (
    ErrorCount,
    Evaluation,
    Evidence,
    NoData,
    Observations,
    ProbeKind,
    ProbeResult,
    Rule,
    Severity,
    Target,
    Verdict,
)
from alerts.rules.kind import Kind, labels_of, no_data
from alerts.wording import number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    results = seen.probes(target, ProbeKind.HTTP)
    if not results:
        return []  # an endpoint that is not probed is not judged
    latest = results[0]
    if now - latest.checked_at > rule.window:
        said = f"No probe of {target.place()} for {span(now - latest.checked_at)}"
        return [no_data(rule, target, Evidence(said))]
    failing = latest.consecutive_failures
    evidence = Evidence(
        summary=_sentence(rule, target, latest),
        value=failing,
        threshold=rule.threshold,
        unit="failures",
        window_start_at=_failing_since(results),
        window_end_at=now,
        sample=len(results),
        top_errors=_errors(results),
    )
    return [
        Evaluation(
            rule=rule.name,
            labels=labels_of(rule, target),
            verdict=Verdict.BREACH if failing >= rule.threshold else Verdict.OK,
            severity=rule.severity,
            evidence=evidence,
            cleared=latest.ok,
        )
    ]


def _sentence(rule: Rule, target: Target, latest: ProbeResult) -> str:
    if latest.ok:
        took = "" if latest.latency_ms is None else f" in {number(round(latest.latency_ms))} ms"
        return f"{target.place()} answers{took}"
    return (
        f"{target.place()} does not answer: {number(latest.consecutive_failures)} probes in a row failed "
        f"(threshold {number(rule.threshold)}), the last with {_problem(latest)}"
    )


def _problem(result: ProbeResult) -> str:
    return result.error or (f"HTTP {result.status}" if result.status is not None else "no answer")


def _failing_since(results: Sequence[ProbeResult]) -> datetime:
    """When the unbroken run of failures at the head of the results began, as far as they reach back."""
    since = results[0].checked_at
    for result in results:
        if result.ok:
            break
        since = result.checked_at
    return since


def _errors(results: Sequence[ProbeResult]) -> tuple[ErrorCount, ...]:
    counts = Counter(_problem(result) for result in results if not result.ok)
    return tuple(ErrorCount(name, count) for name, count in counts.most_common())


KIND = Kind(
    name="endpoint_down",
    about="At least as many HTTP probes in a row as the threshold says did not get the expected answer.",
    unit="failures",
    defaults=Rule(
        name="endpoint_down",
        kind="endpoint_down",
        severity=Severity.CRITICAL,
        threshold=3,
        window=timedelta(minutes=5),
        interval=timedelta(seconds=30),
        no_data=NoData.KEEP,
    ),
    evaluate=evaluate,
    least=1,
)
