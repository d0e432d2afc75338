"""The verdict of rules over looks at an endpoint: so many bad ones in a row start it, one good one ends it.
It knows no kind of look by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.model import ErrorCount, Evaluation, Evidence, ProbeResult, Rule, Severity, Target, Verdict
from alerts.rules.kind import labels_of


def since(results: Sequence[ProbeResult], bad: int) -> datetime:
    """When the row of bad looks began, as far as the results reach back; of none, the latest look."""
    return results[: max(1, bad)][-1].checked_at


def judged(
    rule: Rule,
    target: Target,
    results: Sequence[ProbeResult],
    now: datetime,
    summary: str,
    errors: Sequence[ErrorCount],
    *,
    bad: int,
    severity: Severity | None = None,
    more_labels: Mapping[str, str] | None = None,
) -> Evaluation:
    """A breach from `threshold` bad looks in a row on. results: newest first, at least one. bad: how many of
    the newest were bad."""
    evidence = Evidence(
        summary,
        value=bad,
        threshold=rule.threshold,
        unit="failures",
        window_start_at=since(results, bad),
        window_end_at=now,
        sample=len(results),
        top_errors=tuple(errors),
    )
    return Evaluation(
        rule=rule.name,
        labels=labels_of(rule, target, more_labels),
        verdict=Verdict.BREACH if bad >= rule.threshold else Verdict.OK,
        severity=severity or rule.severity,
        evidence=evidence,
        cleared=not bad,
    )
