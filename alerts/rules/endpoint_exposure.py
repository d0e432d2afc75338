"""endpoint_exposure: an endpoint does not refuse a stranger as a receiver should. One alert a look.

An unsigned POST that is accepted is critical; one that a login, a firewall or a proxy refuses is a warning,
for they would refuse the provider too; a GET that is not refused with 405 is said and no more. A look without
an answer says nothing: endpoint_down does.
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
    ProbeResult,
    Rule,
    Severity,
    Target,
)
from alerts.rules import in_a_row
from alerts.rules.kind import Kind, Reach, no_data
from alerts.wording import moment, span

ASKED = {ProbeKind.UNSIGNED: "an unsigned POST", ProbeKind.METHOD: "a GET"}


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    answered = {
        kind: [result for result in seen.probes(target, kind) if result.status is not None] for kind in ASKED
    }
    return [_judge(rule, target, results, now) for results in answered.values() if results]


def _judge(rule: Rule, target: Target, results: Sequence[ProbeResult], now: datetime) -> Evaluation:
    latest, own = results[0], {"probe": results[0].kind.value}
    if now - latest.checked_at > rule.window:
        said = f"{target.place()} was not asked with {ASKED[latest.kind]} for {span(now - latest.checked_at)}"
        return no_data(rule, target, Evidence(said), more_labels=own)
    bad = next((at for at, result in enumerate(results) if result.ok), len(results))
    if bad:
        said = f"{target.place()}: {latest.error} (since {moment(in_a_row.since(results, bad))})"
    else:
        said = f"{target.place()} refuses {ASKED[latest.kind]} with {latest.status}"
    return in_a_row.judged(
        rule,
        target,
        results,
        now,
        said,
        (ErrorCount(f"HTTP {latest.status}", bad),) if bad else (),
        bad=bad,
        severity=_severity(rule, latest),
        more_labels=own,
    )


def _severity(rule: Rule, latest: ProbeResult) -> Severity:
    if latest.kind is ProbeKind.METHOD:
        return Severity.INFO
    accepted = latest.status is not None and 200 <= latest.status < 300
    return rule.severity if accepted else Severity.WARNING


KIND = Kind(
    name="endpoint_exposure",
    about="An unsigned POST is accepted (critical) or not refused by the receiver itself; a GET is not 405.",
    unit="failures",
    defaults=Rule(
        name="endpoint_exposure",
        kind="endpoint_exposure",
        severity=Severity.CRITICAL,
        threshold=1,
        window=timedelta(hours=6),
        interval=timedelta(minutes=1),
        no_data=NoData.KEEP,
    ),
    evaluate=evaluate,
    reach=Reach.FRESH,
    least=1,
)
