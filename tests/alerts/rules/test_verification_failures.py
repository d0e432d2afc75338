"""verification_failures: whence they come, and what of them is shown."""

from __future__ import annotations

import pytest

from alerts.model import (
    ErrorCount,
    Refusal,
    Severity,
    Verdict,
)
from alerts.rules import KINDS, make
from tests.alerts.rules.judging import found_by
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    World,
    deliveries,
    statuses,
)

REASONS = (ErrorCount("bad_signature", 101), ErrorCount("unknown_key", 2))


def refused(world: World, of_one: int, of: int) -> World:
    """The world with a sample of so many rejections, so many of them from one address."""
    world.refusals = [
        Refusal(f"r{n}", "bad_signature", "203.0.113.9" if n < of_one else f"198.51.100.{n}")
        for n in range(of)
    ]
    return world


@pytest.mark.parametrize(
    ("of_one", "said"),
    [
        (6, "mostly bad_signature, 60 % of a sample from 203.0.113.9"),
        (5, "50 % of a sample from 203.0.113.9"),
    ],
)
def test_half_of_them_from_one_address_names_it(of_one: int, said: str) -> None:
    found = found_by("verification_failures", refused(deliveries(50, bad_signature=10), of_one, 10))
    assert found.evidence.summary.endswith(said)
    assert found.evidence.exemplars == ("r0", "r1", "r2", "r3", "r4")


def test_less_than_half_of_them_from_one_address_names_none() -> None:
    assert found_by(
        "verification_failures", refused(deliveries(50, bad_signature=10), 4, 10)
    ).evidence.summary.endswith("bad_signature")


def test_where_receivers_tell_no_address_none_is_named() -> None:
    world = deliveries(50, bad_signature=10)
    world.refusals = [Refusal(f"r{n}", "bad_signature", "") for n in range(10)]
    assert found_by("verification_failures", world).evidence.summary.endswith("mostly bad_signature")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("timestamp_in_future", "mostly timestamp_in_future (a clock runs wrong)"),
        ("timestamp_too_old", "mostly timestamp_too_old (a clock runs wrong, or old events come again)"),
    ],
)
def test_a_time_that_is_refused_says_what_may_be_wrong(reason: str, said: str) -> None:
    found = found_by("verification_failures", deliveries(50, **{reason: 10}))
    assert found.evidence.summary.endswith(said)


def test_a_burst_is_named_at_exactly_the_threshold_of_the_share_too() -> None:
    found = found_by("verification_failures", refused(deliveries(4000, bad_signature=200), 90, 100))
    assert (found.verdict, found.evidence.unit) == (Verdict.BREACH, "events")


@pytest.mark.parametrize("burst", [0, 100])
def test_a_burst_of_any_share_still_needs_an_address(burst: float) -> None:
    rule = make("verification_failures", params={"burst": burst, "burst_share": 0})
    world = deliveries(10_000, bad_signature=101)
    world.refusals = [Refusal(f"r{n}", "bad_signature", "") for n in range(100)]
    assert found_by("verification_failures", world, rule).verdict is Verdict.OK
    verdict = Verdict.BREACH if burst else Verdict.OK
    assert found_by("verification_failures", refused(world, 1, 100), rule).verdict is verdict


def test_a_burst_shows_its_reasons_its_limit_and_five_of_it() -> None:
    shown = found_by(
        "verification_failures", refused(deliveries(10_000, bad_signature=101, unknown_key=2), 100, 100)
    ).evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (103, 100, "events", 10_000)
    assert shown.top_errors == REASONS
    assert len(shown.exemplars) == 5


def test_clocks_that_drift_show_their_share_and_no_failures() -> None:
    shown = found_by("verification_failures", statuses({200: 60, 202: 40}, {429: 5}, off_time=80)).evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (0.8, 0.5, "share", 100)
    assert (shown.top_errors, shown.exemplars) == ((), ())
    assert shown.summary == (
        "80 % of what verified at stripe/payments was signed more than 30 s before or after it came in "
        "15 min (threshold 50 %), 80 of 100: a clock runs wrong, and beyond the tolerance all is refused"
    )


def test_verification_evidence_counts_the_reasons_most_frequent_first() -> None:
    kind = KINDS["verification_failures"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, deliveries(50, unknown_key=2, bad_signature=9), NOW)
    assert found.evidence.top_errors == (ErrorCount("bad_signature", 9), ErrorCount("unknown_key", 2))


def test_rejections_reported_without_a_status_never_exceed_the_whole() -> None:
    kind = KINDS["verification_failures"]
    [found] = kind.evaluate(kind.defaults, PAYMENTS, deliveries(0, bad_signature=30), NOW)
    assert found.evidence.value == 1.0


def test_many_failures_from_one_address_are_a_burst_however_small_their_share() -> None:
    world = deliveries(10_000, bad_signature=101)
    assert found_by("verification_failures", world).verdict is Verdict.OK
    world.refusals = [
        Refusal(f"r{n}", "bad_signature", "203.0.113.9" if n % 4 else "198.51.100.1") for n in range(100)
    ]
    found = found_by("verification_failures", world)
    assert found.verdict is Verdict.BREACH
    assert found.evidence.summary == (
        "101 deliveries to stripe/payments did not verify in 15 min (threshold 100 from one address), "
        "75 % of a sample from 203.0.113.9, mostly bad_signature; they are 1 % of all"
    )
    assert found.evidence.exemplars[:2] == ("r0", "r1")


@pytest.mark.parametrize(
    ("count", "of_one", "burst", "verdict"),
    [
        (101, 50, 100, Verdict.BREACH),  # just half of them are of one address
        (101, 49, 100, Verdict.OK),
        (100, 50, 100, Verdict.OK),  # not more than the limit
        (101, 50, 0, Verdict.OK),  # switched off
    ],
)
def test_a_burst_is_more_than_its_limit_and_half_of_one_address(
    count: int, of_one: int, burst: float, verdict: Verdict
) -> None:
    world = deliveries(10_000, bad_signature=count)
    world.refusals = [
        Refusal(f"r{n}", "bad_signature", "203.0.113.9" if n < of_one else f"198.51.100.{n}")
        for n in range(100)
    ]
    rule = make("verification_failures", params={"burst": burst})
    assert found_by("verification_failures", world, rule).verdict is verdict


def test_failures_from_many_addresses_are_no_burst() -> None:
    world = deliveries(10_000, bad_signature=300)
    world.refusals = [Refusal(f"r{n}", "bad_signature", f"203.0.113.{n}") for n in range(100)]
    assert found_by("verification_failures", world).verdict is Verdict.OK


def test_a_rate_limit_is_no_forgery_in_the_sample() -> None:
    world = deliveries(10_000, bad_signature=300)
    world.refusals = [Refusal(f"r{n}", "rate_limited", "203.0.113.9") for n in range(100)]
    assert found_by("verification_failures", world).verdict is Verdict.OK


@pytest.mark.parametrize(("off", "verdict"), [(50, Verdict.OK), (51, Verdict.BREACH)])
def test_clocks_that_drift_apart_are_a_warning_before_anything_is_refused(off: int, verdict: Verdict) -> None:
    """practice 20"""
    found = found_by("verification_failures", statuses({200: 100}, off_time=off))
    assert found.verdict is verdict
    if verdict is Verdict.BREACH:
        assert found.severity is Severity.WARNING
        assert found.evidence.summary.startswith(
            "51 % of what verified at stripe/payments was signed more than 30 s before or after it came"
        )


@pytest.mark.parametrize(
    ("verified", "share", "verdict"),
    [(20, 0.5, Verdict.BREACH), (19, 0.5, Verdict.OK), (20, 0, Verdict.OK)],
)
def test_a_drift_needs_a_sample_and_can_be_switched_off(
    verified: int, share: float, verdict: Verdict
) -> None:
    rule = make("verification_failures", params={"off_time_share": share})
    world = statuses({200: verified}, {429: 5}, off_time=verified)
    assert found_by("verification_failures", world, rule).verdict is verdict
