from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.dead_letters import HINTS, Refusal
from monitor.replay.plan import Candidate, plan, refusal

GOOD = Candidate("a", redacted=False, body_bytes=100, has_url=True, has_secret=True)


def test_the_plan_counts_what_it_sends_and_says_how_long_it_takes() -> None:
    made = plan([GOOD, replace(GOOD, letter_id="b")], per_second=0.5)

    assert made.to_send == ("a", "b")
    assert (made.body_bytes, made.duration) == (200, timedelta(seconds=4))


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (replace(GOOD, known=False), Refusal.UNKNOWN),
        (replace(GOOD, resolved=True), Refusal.RESOLVED),
        (replace(GOOD, succeeded=True), Refusal.SUCCEEDED),
        (replace(GOOD, busy=True), Refusal.BUSY),
        (replace(GOOD, redacted=None), Refusal.NO_CAPTURE),
        (replace(GOOD, redacted=True), Refusal.REDACTED),
        (replace(GOOD, has_url=False), Refusal.NO_URL),
        (replace(GOOD, has_secret=False), Refusal.NO_SECRET),
    ],
)
def test_each_obstacle_is_named(candidate: Candidate, why: Refusal) -> None:
    assert refusal(candidate) is why


def test_left_out_letters_are_counted_by_reason() -> None:
    made = plan(
        [
            GOOD,
            replace(GOOD, letter_id="b", redacted=None),
            replace(GOOD, letter_id="c", redacted=None),
            replace(GOOD, letter_id="d", succeeded=True),
        ],
        per_second=5,
    )

    assert made.refusals == [(Refusal.NO_CAPTURE, 2), (Refusal.SUCCEEDED, 1)]
    assert (made.letters, made.already_succeeded) == (4, 1)


def test_a_letter_named_twice_is_sent_once() -> None:
    assert plan([GOOD, GOOD], per_second=5).to_send == ("a",)


def test_every_refusal_says_what_to_do() -> None:
    assert set(HINTS) == set(Refusal)
