"""endpoint_exposure: how bad it is to let a stranger in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.model import ErrorCount, ProbeKind, ProbeResult, Severity, Verdict
from alerts.rules import KINDS
from tests.alerts.rules.judging import found_by
from tests.alerts.world import NOW, PAYMENTS, probed

HOUR = timedelta(hours=1)


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


def looks(kind: ProbeKind, *looked: tuple[int | None, bool]) -> list[ProbeResult]:
    """Looks of a kind an hour apart, the latest first: the status of each, and whether that is as it should
    be."""
    return [
        ProbeResult(kind, ok, NOW - n * HOUR, status, error="" if ok else "wrong")
        for n, (status, ok) in enumerate(looked)
    ]


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        (199, Severity.WARNING),
        (200, Severity.CRITICAL),
        (299, Severity.CRITICAL),
        (300, Severity.WARNING),
    ],
)
def test_accepted_is_a_2xx(status: int, severity: Severity) -> None:
    found = found_by("endpoint_exposure", probed(*looks(ProbeKind.UNSIGNED, (status, False))))
    assert found.severity is severity


def test_each_look_is_an_alert_of_its_own() -> None:
    unsigned, method = looks(ProbeKind.UNSIGNED, (401, True)), looks(ProbeKind.METHOD, (405, True))
    kind = KINDS["endpoint_exposure"]
    found = kind.evaluate(kind.defaults, PAYMENTS, probed(*unsigned, *method), NOW)
    assert [(one.labels["probe"], one.verdict, one.evidence.summary) for one in found] == [
        ("unsigned", Verdict.OK, "stripe/payments refuses an unsigned POST with 401"),
        ("method", Verdict.OK, "stripe/payments refuses a GET with 405"),
    ]


def test_a_row_of_bad_looks_counts_those_that_were_answered_back_to_the_last_good_one() -> None:
    row = looks(
        ProbeKind.METHOD, (None, False), (200, False), (None, True), (200, False), (405, True), (200, False)
    )
    shown = found_by("endpoint_exposure", probed(*row)).evidence
    assert (shown.value, shown.sample, shown.top_errors) == (2, 4, (ErrorCount("HTTP 200", 2),))
    assert shown.window_start_at == NOW - 3 * HOUR
    assert shown.summary == "stripe/payments: wrong (since 2026-11-21 00:00 UTC)"


@pytest.mark.parametrize(("age", "verdict"), [(6 * 60, Verdict.BREACH), (6 * 60 + 1, Verdict.NO_DATA)])
def test_a_look_as_old_as_the_window_still_counts(age: int, verdict: Verdict) -> None:
    result = ProbeResult(ProbeKind.METHOD, False, NOW - timedelta(minutes=age), 200, error="wrong")
    found = found_by("endpoint_exposure", probed(result))
    assert (found.verdict, found.labels["probe"]) == (verdict, "method")
