"""A share is evident when chance is not enough of an explanation."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from alerts.rules.evident import CHANCE, is_evident


def exact_tail(part: int, whole: int, share: Fraction) -> Fraction:
    """P(X >= part), in fractions."""
    return sum(
        (comb(whole, k) * share**k * (1 - share) ** (whole - k) for k in range(part, whole + 1)), Fraction(0)
    )


@pytest.mark.parametrize("whole", [1, 7, 20, 60, 333])
@pytest.mark.parametrize("share", [Fraction(1, 1000), Fraction(1, 100), Fraction(1, 20), Fraction(1, 2)])
def test_it_is_the_binomial_tail_for_every_count(whole: int, share: Fraction) -> None:
    for part in range(whole + 1):
        wanted = Fraction(part, whole) > share and exact_tail(part, whole, share) < CHANCE
        assert is_evident(part, whole, float(share)) is wanted, part


def test_of_very_many_the_share_alone_counts() -> None:
    assert is_evident(300, 10_000, 0.029)
    assert not is_evident(300, 10_000, 0.031)


def test_nothing_shows_nothing() -> None:
    assert not is_evident(0, 0, 0.1)
    assert is_evident(1, 1, 0.0)
