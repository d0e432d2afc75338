"""The SDK draws its jitter apart: an application that seeded `random` gets the numbers it expects."""

import random

from hookvitals import RetryPolicy


def test_drawing_a_wait_leaves_the_applications_random_numbers_alone() -> None:
    random.seed(1)
    expected = random.random()

    random.seed(1)
    RetryPolicy().wait_s(3)

    assert random.random() == expected
