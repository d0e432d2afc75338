"""Alerts, tellings and messages for tests, one call each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.message import Links, Message, compose
from alerts.model import (
    Alert,
    Delivery,
    ErrorCount,
    Evidence,
    Notification,
    Severity,
    State,
    Telling,
    Why,
    fingerprint_of,
)

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LINKS = Links("https://monitor.example/hooks/")
EVIDENCE = Evidence(
    summary="12.4 % of stripe/payments failed in 15 min (threshold 5 %), 310 of 2,500 attempts",
    value=0.124,
    threshold=0.05,
    unit="share",
    window_start_at=T0 - timedelta(minutes=15),
    window_end_at=T0,
    sample=2500,
    top_errors=(ErrorCount("DatabaseTimeout", 300), ErrorCount("KeyError", 10)),
    exemplars=("0193f000-0000-7000-8000-000000000001",),
)


def alert(
    kind: str = "error_rate",
    *,
    state: State = State.FIRING,
    severity: Severity = Severity.ERROR,
    source: str = "stripe",
    endpoint: str = "payments",
    **changes: Any,
) -> Alert:
    labels = {"environment": "production", "source": source, "endpoint": endpoint}
    made = Alert(
        fingerprint=fingerprint_of(kind, labels),
        rule=kind,
        kind=kind,
        severity=severity,
        labels=labels,
        state=state,
        since=T0,
        last_evaluated_at=T0,
        evidence=EVIDENCE,
        firing_since=T0,
        resolved_at=T0 + timedelta(minutes=32) if state is State.RESOLVED else None,
        revision=2,
        episode=1,
        runbook="https://runbooks.example/error-rate",
    )
    return replace(made, **changes)


def notification(of: Alert | None = None, reason: Why = Why.FIRING, channel: str = "ops") -> Notification:
    return Notification(f"key-{reason}", channel, reason, of or alert(), T0)


def message(of: Alert | None = None, reason: Why = Why.FIRING) -> Message:
    return compose(notification(of, reason), LINKS)


def told(
    of: Alert,
    channel: str = "slack",
    reason: Why = Why.FIRING,
    delivery: Delivery = Delivery.DELIVERED,
    **changes: Any,
) -> Telling:
    made = Telling(of.fingerprint, of.episode, channel, reason, of.severity, T0, delivery)
    return replace(made, **changes)


def every(length: timedelta) -> dict[Severity, timedelta]:
    """The same repeat for each severity."""
    return dict.fromkeys(Severity, length)
