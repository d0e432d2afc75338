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
)
from alerts.rules import in_a_row
from alerts.rules.kind import Kind, Reach, no_data
from alerts.wording import counted, moment, number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    results = seen.probes(target, ProbeKind.CANARY)
    if not results:
        return []  # an endpoint without canaries is not judged
    latest = results[0]
    if now - latest.checked_at > rule.window:
        said = f"No canary was sent to {target.place()} for {span(now - latest.checked_at)}"
        return [no_data(rule, target, Evidence(said))]
    bad = latest.consecutive_failures
    if latest.ok:
        said = f"Canaries come through {target.place()}"
    else:
        said = (
            f"No canary comes through {target.place()} since {moment(in_a_row.since(results, bad))}: "
            f"{counted(bad, 'failure')} in a row (threshold {number(rule.threshold)}), "
            f"the last: {latest.error}"
        )
    errors = () if latest.ok else (ErrorCount(latest.error, bad),)
    return [in_a_row.judged(rule, target, results, now, said, errors, bad=bad)]


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
    reach=Reach.FRESH,
    least=1,
)
