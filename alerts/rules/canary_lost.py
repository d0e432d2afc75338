"""canary_lost: signed canaries no longer come through: refused, unanswered, or answered and left no record.

The last means that the monitor does not see what the receiver does. One that comes through ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import (
    ErrorCount,
    Evaluation,
    Evidence,
    NoData,
    Observations,
    ProbeKind,
    Rule,
    Severity,
    Target,
    Verdict,
)
from alerts.rules.kind import Kind, labels_of, no_data
from alerts.wording import number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    results = seen.probes(target, ProbeKind.CANARY)
    if not results:
        return []  # an endpoint without canaries is not judged
    latest = results[0]
    if now - latest.checked_at > rule.window:
        said = f"No canary was sent to {target.place()} for {span(now - latest.checked_at)}"
        return [no_data(rule, target, Evidence(said))]
    failing = latest.consecutive_failures
    row = results[: max(1, failing)]
    summary = (
        f"Canaries come through {target.place()}"
        if latest.ok
        else f"{number(failing)} canaries to {target.place()} failed in a row (threshold "
        f"{number(rule.threshold)}): {latest.error}"
    )
    evidence = Evidence(
        summary=summary,
        value=failing,
        threshold=rule.threshold,
        unit="failures",
        window_start_at=row[-1].checked_at,
        window_end_at=now,
        sample=len(results),
        top_errors=() if latest.ok else (ErrorCount(latest.error, failing),),
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


KIND = Kind(
    name="canary_lost",
    about="At least as many signed canaries in a row as the threshold were refused or left no record.",
    unit="failures",
    defaults=Rule(
        name="canary_lost",
        kind="canary_lost",
        severity=Severity.ERROR,
        threshold=2,
        window=timedelta(minutes=30),
        interval=timedelta(minutes=1),
        no_data=NoData.KEEP,
    ),
    evaluate=evaluate,
    least=1,
)
