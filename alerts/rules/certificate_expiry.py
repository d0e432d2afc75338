"""certificate_expiry: an endpoint's TLS certificate runs out, or that of the provider's own API.

The severity climbs in steps as the day comes nearer: info from `threshold` days, then warning, error and
critical; each step is told once. A certificate that careful senders refuse already is good for no day at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerts.model import (
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
from alerts.rules.kind import Kind, Reach, labels_of, no_data
from alerts.rules.parameter import days
from alerts.wording import number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    provider = f"the API of {target.source}"
    looks: tuple[tuple[Sequence[ProbeResult], str, Mapping[str, str]], ...] = (
        (seen.probes(target, ProbeKind.TLS), target.place(), {}),
        (seen.probes(target, ProbeKind.PROVIDER), provider, {"certificate": "provider"}),
    )
    # an endpoint without TLS probes has no certificate to judge
    return [_judge(rule, target, results, place, own, now) for results, place, own in looks if results]


def _judge(
    rule: Rule,
    target: Target,
    results: Sequence[ProbeResult],
    place: str,
    own: Mapping[str, str],
    now: datetime,
) -> Evaluation:
    recent = (result for result in results if now - result.checked_at <= rule.window)
    known = next((result for result in recent if result.cert_not_after is not None), None)
    if known is None or known.cert_not_after is None:
        said = f"The certificate of {place} was not seen within {span(rule.window)}"
        return no_data(rule, target, Evidence(said), more_labels=own)
    refused = not known.ok and known.cert_not_after > now
    left_days = 0.0 if refused else (known.cert_not_after - now) / timedelta(days=1)
    severity, step_days = _step(rule, left_days)
    evidence = Evidence(
        summary=(
            f"The certificate of {place} is refused by careful senders: {known.error}"
            if refused
            else _sentence(place, known.cert_not_after, now, severity, step_days)
        ),
        value=left_days,
        threshold=step_days,
        unit="days",
        window_start_at=known.checked_at,
        window_end_at=now,
        sample=1,
    )
    breach = left_days <= rule.threshold
    return Evaluation(
        rule=rule.name,
        labels=labels_of(rule, target, own),
        verdict=Verdict.BREACH if breach else Verdict.OK,
        severity=severity,
        evidence=evidence,
        cleared=not breach,
    )


def _step(rule: Rule, left_days: float) -> tuple[Severity, float]:
    """The severest step reached and its days; info and the first step's days when none is."""
    steps = (
        (Severity.CRITICAL, rule.params["critical_days"]),
        (Severity.ERROR, rule.params["error_days"]),
        (Severity.WARNING, rule.params["warning_days"]),
    )
    reached = ((severity, step) for severity, step in steps if left_days <= step)
    return next(reached, (Severity.INFO, rule.threshold))


def _sentence(place: str, ends_at: datetime, now: datetime, severity: Severity, step_days: float) -> str:
    day = ends_at.strftime("%Y-%m-%d")
    if ends_at <= now:
        return f"The certificate of {place} expired {span(now - ends_at)} ago, on {day}"
    return (
        f"The certificate of {place} expires in {span(ends_at - now)}, on {day} "
        f"({severity} from {number(step_days)} days)"
    )


KIND = Kind(
    name="certificate_expiry",
    about="A certificate ends within the threshold (info; warning, error and critical as its end comes near),"
    " or senders refuse it.",
    unit="days",
    defaults=Rule(
        name="certificate_expiry",
        kind="certificate_expiry",
        severity=Severity.INFO,
        threshold=30,
        window=timedelta(days=2),
        no_data=NoData.KEEP,
        params={"warning_days": 14, "error_days": 7, "critical_days": 1},
    ),
    evaluate=evaluate,
    reach=Reach.FRESH,
    parameters={
        f"{severity}_days": days(f"from so many days on it is {severity}")
        for severity in ("warning", "error", "critical")
    },
)
