"""Each rate means what its definition says."""

import pytest

from monitor import figures
from monitor.figures import Rate
from monitor.model import Outcome, Reason
from monitor.rollup import Rollup, outcome_key, reason_key, status_key

REPLAY, CANARY = 1, 2


def rollup_of(**counts: int) -> Rollup:
    """A rollup from outcome counts: succeeded=3; replays as succeeded_replayed=1, canaries as …_canary."""
    kinds = {"replayed": REPLAY, "canary": CANARY}
    found = {}
    for name, n in counts.items():
        outcome, _, kind = name.rpartition("_")
        if kind not in kinds:
            outcome, kind = name, ""
        found[outcome_key(Outcome(outcome), kinds.get(kind, 0))] = n
    return Rollup(found)


def test_attempt_error_rate_takes_failed_and_dead_lettered_of_all_attempts() -> None:
    rollup = rollup_of(succeeded=90, failed=8, dead_lettered=2)

    assert figures.attempt_error_rate(rollup) == Rate(10, 100)
    assert figures.attempt_error_rate(rollup).share == pytest.approx(0.1)


def test_event_success_leaves_attempts_that_will_be_tried_again_aside() -> None:
    assert figures.event_success(rollup_of(succeeded=99, failed=50, dead_lettered=1)) == Rate(99, 100)


@pytest.mark.parametrize("rate", [figures.attempt_error_rate, figures.event_success])
def test_outcomes_that_are_no_attempt_are_in_no_denominator(rate: object) -> None:
    others = rollup_of(accepted=9, duplicate=9, stale=9, unhandled=9, rejected=9)

    assert callable(rate)
    assert rate(others) == Rate(0, 0)


@pytest.mark.parametrize("rate", [figures.attempt_error_rate, figures.event_success])
def test_replays_and_canaries_are_in_neither_rate(rate: object) -> None:
    apart = rollup_of(succeeded_replayed=5, dead_lettered_replayed=5, succeeded_canary=5, failed_canary=5)

    assert callable(rate)
    assert rate(apart) == Rate(0, 0)


def test_what_replays_brought_to_a_good_end_is_recovered() -> None:
    assert figures.recovered(rollup_of(succeeded=7, succeeded_replayed=3, failed_replayed=2)) == 3


def test_ack_success_takes_any_2xx_of_the_deliveries_that_were_not_rejected() -> None:
    rollup = Rollup(
        {status_key(200): 6, status_key(204): 2, status_key(500): 2, status_key(401, rejected=True): 90}
    )

    assert figures.ack_success(rollup) == Rate(8, 10)


def test_ack_success_takes_only_the_expected_statuses_where_they_are_named() -> None:
    rollup = Rollup({status_key(200): 6, status_key(201): 4})

    assert figures.ack_success(rollup, expected=(201, 202)) == Rate(4, 10)


def test_a_2xx_for_a_rejected_delivery_is_no_good_ack() -> None:
    rollup = Rollup({status_key(200): 1, status_key(200, rejected=True): 9})

    assert figures.ack_success(rollup) == Rate(1, 1)


def test_verification_failures_are_those_of_signature_time_and_address() -> None:
    rollup = Rollup(
        {
            reason_key(Reason.BAD_SIGNATURE): 3,
            reason_key(Reason.IP_NOT_ALLOWED): 1,
            reason_key(Reason.RATE_LIMITED): 50,
            reason_key(Reason.MALFORMED_BODY): 50,
            status_key(401, rejected=True): 4,
            status_key(200): 16,
        }
    )

    assert figures.verification_failure_rate(rollup) == Rate(4, 20)
    assert figures.verification_reasons(rollup) == {Reason.BAD_SIGNATURE: 3, Reason.IP_NOT_ALLOWED: 1}


@pytest.mark.parametrize(
    "rate",
    [
        figures.attempt_error_rate,
        figures.event_success,
        figures.ack_success,
        figures.verification_failure_rate,
    ],
)
def test_an_empty_window_has_no_share(rate: object) -> None:
    assert callable(rate)
    assert rate(Rollup()).share is None


def test_status_classes_add_up_the_statuses_of_all_deliveries() -> None:
    rollup = Rollup({status_key(200): 1, status_key(204): 2, status_key(404): 3, status_key(401, True): 4})

    assert figures.status_classes(rollup) == {"2xx": 3, "4xx": 7}


def test_outcomes_are_shown_without_zeros_and_without_replays() -> None:
    rollup = rollup_of(failed=1, accepted=2, succeeded=0, failed_replayed=9)

    assert figures.outcomes(rollup) == {Outcome.ACCEPTED: 2, Outcome.FAILED: 1}
