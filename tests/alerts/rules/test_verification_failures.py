"""verification_failures: whence they come, and what of them is shown."""

from __future__ import annotations

import pytest

from alerts.model import ErrorCount, Evaluation, Refusal
from alerts.rules import KINDS, make
from tests.alerts.world import NOW, PAYMENTS, World, deliveries, statuses

REASONS = (ErrorCount("bad_signature", 101), ErrorCount("unknown_key", 2))


def judged(world: World) -> Evaluation:
    [found] = KINDS["verification_failures"].evaluate(make("verification_failures"), PAYMENTS, world, NOW)
    return found


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
    found = judged(refused(deliveries(50, bad_signature=10), of_one, 10))
    assert found.evidence.summary.endswith(said)
    assert found.evidence.exemplars == ("r0", "r1", "r2", "r3", "r4")


def test_less_than_half_of_them_from_one_address_names_none() -> None:
    assert judged(refused(deliveries(50, bad_signature=10), 4, 10)).evidence.summary.endswith("bad_signature")


def test_where_receivers_tell_no_address_none_is_named() -> None:
    world = deliveries(50, bad_signature=10)
    world.refusals = [Refusal(f"r{n}", "bad_signature", "") for n in range(10)]
    assert judged(world).evidence.summary.endswith("mostly bad_signature")


def test_a_burst_shows_its_reasons_its_limit_and_five_of_it() -> None:
    shown = judged(refused(deliveries(10_000, bad_signature=101, unknown_key=2), 100, 100)).evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (103, 100, "events", 10_000)
    assert shown.top_errors == REASONS
    assert len(shown.exemplars) == 5


def test_clocks_that_drift_show_their_share_and_no_failures() -> None:
    shown = judged(statuses({200: 60, 202: 40}, {429: 5}, off_time=80)).evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (0.8, 0.5, "share", 100)
    assert (shown.top_errors, shown.exemplars) == ((), ())
    assert shown.summary == (
        "80 % of what verified at stripe/payments was signed more than 30 s before or after it came in "
        "15 min (threshold 50 %), 80 of 100: a clock runs wrong, and beyond the tolerance all is refused"
    )
