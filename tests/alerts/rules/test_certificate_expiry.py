"""certificate_expiry: whose certificate, and the moment it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from alerts.model import Evaluation, ProbeKind, ProbeResult, Severity, Verdict
from alerts.rules import KINDS, make
from tests.alerts.world import NOW, PAYMENTS, World, certificate, probed

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
THEIRS = ProbeResult(ProbeKind.PROVIDER, ok=True, checked_at=NOW, cert_not_after=NOW + 80 * DAY)


def judged(world: World) -> Evaluation:
    [found] = KINDS["certificate_expiry"].evaluate(make("certificate_expiry"), PAYMENTS, world, NOW)
    return found


def test_the_providers_certificate_is_apart_even_where_it_was_not_seen() -> None:
    found = judged(probed(replace(THEIRS, checked_at=NOW - 3 * DAY)))
    assert (found.verdict, found.labels["certificate"]) == (Verdict.NO_DATA, "provider")
    assert found.evidence.summary == "The certificate of the API of stripe was not seen within 2 d"


def test_a_certificate_that_ends_this_moment_has_expired() -> None:
    found = judged(certificate(timedelta(0)))
    assert found.evidence.summary == "The certificate of stripe/payments expired 0 s ago, on 2026-11-21"
    assert judged(certificate(SECOND)).evidence.summary.startswith(
        "The certificate of stripe/payments expires in 1 s"
    )


def test_one_that_is_refused_is_good_for_no_day_and_one_that_ended_for_less() -> None:
    refused = replace(THEIRS, kind=ProbeKind.TLS, ok=False, error="it is self-signed")
    assert judged(probed(refused)).evidence.value == 0
    assert judged(certificate(-2 * DAY)).evidence.value == -2


def test_each_step_is_shown_as_the_threshold() -> None:
    steps = [judged(certificate(days * DAY)) for days in (20, 14, 7, 1)]
    assert [(found.severity, found.evidence.threshold) for found in steps] == [
        (Severity.INFO, 30),
        (Severity.WARNING, 14),
        (Severity.ERROR, 7),
        (Severity.CRITICAL, 1),
    ]


def test_a_look_as_old_as_the_window_still_counts() -> None:
    assert judged(certificate(5 * DAY, checked_before=2 * DAY)).verdict is Verdict.BREACH
