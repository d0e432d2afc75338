"""monitor_blind: no collector has written its heartbeat, so silence means nothing and nothing may be
judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target, Verdict
from alerts.rules.kind import Kind, labels_of
from alerts.wording import moment, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    last_at = seen.last_heartbeat_at()
    blind = last_at is None or now - last_at > timedelta(seconds=rule.threshold)
    silent_s = None if last_at is None else (now - last_at).total_seconds()
    return [
        Evaluation(
            rule=rule.name,
            labels=labels_of(rule, target),
            verdict=Verdict.BREACH if blind else Verdict.OK,
            severity=rule.severity,
            evidence=Evidence(
                summary=_sentence(rule, last_at, now, blind=blind),
                value=silent_s,
                threshold=rule.threshold,
                unit="s",
                window_start_at=last_at,
                window_end_at=now,
                sample=0 if last_at is None else 1,
            ),
            cleared=not blind,
        )
    ]


def _sentence(rule: Rule, last_at: datetime | None, now: datetime, *, blind: bool) -> str:
    if last_at is None:
        return "The monitor is blind: no collector has ever reported, so nothing is judged. Is one running?"
    if not blind:
        return f"Collectors report; the last heartbeat is {span(max(now - last_at, timedelta(0)))} old"
    limit = span(timedelta(seconds=rule.threshold))
    return (
        f"The monitor is blind: no collector heartbeat for {span(now - last_at)} (threshold {limit}), "
        f"the last at {moment(last_at)}. Nothing is judged until one returns"
    )


KIND = Kind(
    name="monitor_blind",
    about="No collector wrote a heartbeat for longer than the threshold; meanwhile no alert starts or ends.",
    unit="s",
    defaults=Rule(
        name="monitor_blind",
        kind="monitor_blind",
        severity=Severity.CRITICAL,
        threshold=60,
        # A collector that starts beside the worker beats within 10 s; three beats of grace.
        for_=timedelta(seconds=30),
        interval=timedelta(seconds=5),
    ),
    evaluate=evaluate,
    least=30,  # a collector's heart beats each 10 s
    on_monitor=True,
)
