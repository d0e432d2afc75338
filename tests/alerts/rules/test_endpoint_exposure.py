"""endpoint_exposure: how bad it is to let a stranger in."""

from __future__ import annotations

import pytest

from alerts.model import (
    ProbeKind,
    ProbeResult,
    Severity,
    Verdict,
)
from alerts.rules import KINDS
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    probed,
)


@pytest.mark.parametrize(
    ("kind", "status", "error", "severity"),
    [
        (ProbeKind.UNSIGNED, 202, "an unsigned POST was accepted with 202", Severity.CRITICAL),
        (ProbeKind.UNSIGNED, 403, "an unsigned POST was refused by Cloudflare", Severity.WARNING),
        (ProbeKind.METHOD, 200, "a GET was answered 200, not 405", Severity.INFO),
    ],
)
def test_a_stranger_that_is_let_in_is_critical_and_one_that_is_sent_away_wrongly_is_not(
    kind: ProbeKind, status: int, error: str, severity: Severity
) -> None:
    """Practices 9 and 10."""
    away = ProbeResult(kind, False, NOW, error="connection refused", consecutive_failures=2)
    result = ProbeResult(kind, False, NOW, status, error=error, consecutive_failures=1)
    rule = KINDS["endpoint_exposure"]
    [found] = rule.evaluate(rule.defaults, PAYMENTS, probed(away, result), NOW)
    assert (found.verdict, found.severity, found.labels["probe"]) == (Verdict.BREACH, severity, kind.value)
    assert found.evidence.summary == f"stripe/payments: {error} (since 2026-11-21 03:00 UTC)"
    assert rule.evaluate(rule.defaults, PAYMENTS, probed(away), NOW) == []
