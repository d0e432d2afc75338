"""certificate_expiry: whose certificate, and the moment it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import (
    ProbeKind,
    ProbeResult,
    Severity,
    Verdict,
)
from alerts.rules import KINDS
from tests.alerts.rules.judging import found_by
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    certificate,
    probed,
)

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
THEIRS = ProbeResult(ProbeKind.PROVIDER, ok=True, checked_at=NOW, cert_not_after=NOW + 80 * DAY)


def test_the_providers_certificate_is_apart_even_where_it_was_not_seen() -> None:
    found = found_by("certificate_expiry", probed(replace(THEIRS, checked_at=NOW - 3 * DAY)))
    assert (found.verdict, found.labels["certificate"]) == (Verdict.NO_DATA, "provider")
    assert found.evidence.summary == "The certificate of the API of stripe was not seen within 2 d"


def test_a_certificate_that_ends_this_moment_has_expired() -> None:
    found = found_by("certificate_expiry", certificate(timedelta(0)))
    assert found.evidence.summary == "The certificate of stripe/payments expired 0 s ago, on 2026-11-21"
    assert found_by("certificate_expiry", certificate(SECOND)).evidence.summary.startswith(
        "The certificate of stripe/payments expires in 1 s"
    )


def test_one_that_is_refused_is_good_for_no_day_and_one_that_ended_for_less() -> None:
    refused = replace(THEIRS, kind=ProbeKind.TLS, ok=False, error="it is self-signed")
    assert found_by("certificate_expiry", probed(refused)).evidence.value == 0
    assert found_by("certificate_expiry", certificate(-2 * DAY)).evidence.value == -2


def test_each_step_is_shown_as_the_threshold() -> None:
    steps = [found_by("certificate_expiry", certificate(days * DAY)) for days in (20, 14, 7, 1)]
    assert [(found.severity, found.evidence.threshold) for found in steps] == [
        (Severity.INFO, 30),
        (Severity.WARNING, 14),
        (Severity.ERROR, 7),
        (Severity.CRITICAL, 1),
    ]


def test_a_look_as_old_as_the_window_still_counts() -> None:
    seen = certificate(5 * DAY, checked_before=2 * DAY)
    assert found_by("certificate_expiry", seen).verdict is Verdict.BREACH


@pytest.mark.parametrize(
    ("left", "severity"),
    [
        (30 * DAY, Severity.INFO),
        (14 * DAY + timedelta(seconds=1), Severity.INFO),
        (14 * DAY, Severity.WARNING),
        (7 * DAY, Severity.ERROR),
        (DAY, Severity.CRITICAL),
        (-DAY, Severity.CRITICAL),
    ],
)
def test_certificate_grows_severer_step_by_step(left: timedelta, severity: Severity) -> None:
    rule = KINDS["certificate_expiry"].defaults
    [found] = KINDS["certificate_expiry"].evaluate(rule, PAYMENTS, certificate(left), NOW)
    assert (found.verdict, found.severity) == (Verdict.BREACH, severity)


def test_a_certificate_that_senders_refuse_is_as_bad_as_one_that_ended() -> None:
    error = "it is self-signed: no sender trusts it; get one from a public authority"
    result = ProbeResult(ProbeKind.TLS, False, NOW, error=error, cert_not_after=NOW + 80 * DAY)
    kind = KINDS["certificate_expiry"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, probed(result), NOW)
    assert (found.verdict, found.severity) == (Verdict.BREACH, Severity.CRITICAL)
    assert found.evidence.summary == (
        f"The certificate of stripe/payments is refused by careful senders: {error}"
    )


def test_the_providers_own_certificate_is_held_to_the_same_days_as_an_alert_of_its_own() -> None:
    """Practice 7."""
    own = ProbeResult(ProbeKind.TLS, True, NOW, cert_not_after=NOW + 80 * DAY)
    theirs = ProbeResult(ProbeKind.PROVIDER, True, NOW, cert_not_after=NOW + 6 * DAY)
    kind = KINDS["certificate_expiry"]
    fine, found = kind.evaluate(kind.defaults, PAYMENTS, probed(own, theirs), NOW)
    assert (fine.verdict, found.verdict, found.severity) == (Verdict.OK, Verdict.BREACH, Severity.ERROR)
    assert found.labels["certificate"] == "provider"
    assert fine.fingerprint != found.fingerprint
    assert found.evidence.summary.startswith("The certificate of the API of stripe expires in 6 d")


def test_certificate_is_read_from_the_latest_probe_that_saw_one() -> None:
    failed = ProbeResult(ProbeKind.TLS, ok=False, checked_at=NOW, error="timeout", consecutive_failures=1)
    seen = ProbeResult(ProbeKind.TLS, ok=True, checked_at=NOW - timedelta(hours=1), cert_not_after=NOW + DAY)
    kind = KINDS["certificate_expiry"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, probed(failed, seen), NOW)
    assert found.severity is Severity.CRITICAL
