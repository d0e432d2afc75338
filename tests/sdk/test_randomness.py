"""The SDK draws its jitter apart: an application that seeded `random` gets the numbers it expects."""

import random

from hookvitals import RetryPolicy
from hookvitals.jitter import uniform


def test_drawing_a_wait_leaves_the_applications_random_numbers_alone() -> None:
    random.seed(1)
    expected = random.random()

    random.seed(1)
    RetryPolicy().wait_s(3)

    assert random.random() == expected


def test_waits_lie_anywhere_between_their_bounds() -> None:
    drawn = [uniform(2.0, 6.0) for _ in range(4000)]

    assert 2.0 <= min(drawn) < 2.1
    assert 5.9 < max(drawn) <= 6.0
    for quarter in range(4):
        assert sum(2 + quarter <= one < 3 + quarter for one in drawn) > 800
