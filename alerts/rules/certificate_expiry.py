"""certificate_expiry: an endpoint's TLS certificate runs out. The severity climbs in steps as the day comes
nearer: info from `threshold` days, then warning, error and critical; each step is told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import (
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
    results = seen.probes(target, ProbeKind.TLS)
    if not results:
        return []  # an endpoint without TLS probes has no certificate to judge
    recent = (result for result in results if now - result.checked_at <= rule.window)
    known = next((result for result in recent if result.cert_not_after is not None), None)
    if known is None or known.cert_not_after is None:
        said = f"The certificate of {target.place()} was not seen within {span(rule.window)}"
        return [no_data(rule, target, Evidence(said))]
    left_days = (known.cert_not_after - now) / timedelta(days=1)
    severity, step_days = _step(rule, left_days)
    evidence = Evidence(
        summary=_sentence(target, known.cert_not_after, now, severity, step_days),
        value=left_days,
        threshold=step_days,
        unit="days",
        window_start_at=known.checked_at,
        window_end_at=now,
        sample=1,
    )
    breach = left_days <= rule.threshold
    return [
        Evaluation(
            rule=rule.name,
            labels=labels_of(rule, target),
            verdict=Verdict.BREACH if breach else Verdict.OK,
            severity=severity,
            evidence=evidence,
            cleared=not breach,
        )
    ]


def _step(rule: Rule, left_days: float) -> tuple[Severity, float]:
    """The severest step reached and its days; info and the first step's days when none is."""
    steps = (
        (Severity.CRITICAL, rule.params["critical_days"]),
        (Severity.ERROR, rule.params["error_days"]),
        (Severity.WARNING, rule.params["warning_days"]),
    )
    reached = ((severity, days) for severity, days in steps if left_days <= days)
    return next(reached, (Severity.INFO, rule.threshold))


def _sentence(target: Target, ends_at: datetime, now: datetime, severity: Severity, step_days: float) -> str:
    day = ends_at.strftime("%Y-%m-%d")
    if ends_at <= now:
        return f"The certificate of {target.place()} expired {span(now - ends_at)} ago, on {day}"
    return (
        f"The certificate of {target.place()} expires in {span(ends_at - now)}, on {day} "
        f"({severity} from {number(step_days)} days)"
    )


KIND = Kind(
    name="certificate_expiry",
    about="A certificate ends within threshold days (info), params.warning_days, error_days, critical_days.",
    unit="days",
    defaults=Rule(
        name="certificate_expiry",
        kind="certificate_expiry",
        severity=Severity.INFO,
        threshold=30,
        window=timedelta(days=2),
        interval=timedelta(minutes=5),
        no_data=NoData.KEEP,
        params={"warning_days": 14, "error_days": 7, "critical_days": 1},
    ),
    evaluate=evaluate,
    parameters={
        f"{severity}_days": f"from so many days on it is {severity}"
        for severity in ("warning", "error", "critical")
    },
)
