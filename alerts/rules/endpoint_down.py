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
)
from alerts.rules import in_a_row
from alerts.rules.kind import Kind, Reach, no_data
from alerts.wording import counted, moment, number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    results = seen.probes(target, ProbeKind.HTTP)
    if not results:
        return []  # an endpoint that is not probed is not judged
    latest = results[0]
    if now - latest.checked_at > rule.window:
        said = f"No probe of {target.place()} for {span(now - latest.checked_at)}"
        return [no_data(rule, target, Evidence(said))]
    said, bad = _sentence(rule, target, results), latest.consecutive_failures
    return [in_a_row.judged(rule, target, results, now, said, _errors(results[:bad]), bad=bad)]


def _sentence(rule: Rule, target: Target, results: Sequence[ProbeResult]) -> str:
    latest = results[0]
    if latest.ok:
        took = "" if latest.latency_ms is None else f" in {number(round(latest.latency_ms))} ms"
        return f"{target.place()} answers{took}"
    bad = latest.consecutive_failures
    return (
        f"{target.place()} does not answer since {moment(in_a_row.since(results, bad))}: "
        f"{counted(bad, 'probe')} in a row failed (threshold {number(rule.threshold)}), "
        f"the last with {_problem(latest)}"
    )


def _problem(result: ProbeResult) -> str:
    return result.error or (f"HTTP {result.status}" if result.status is not None else "no answer")


def _errors(results: Sequence[ProbeResult]) -> tuple[ErrorCount, ...]:
    counts = Counter(_problem(result) for result in results)
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
    reach=Reach.FRESH,
    least=1,
)
