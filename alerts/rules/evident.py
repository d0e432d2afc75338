"""Whether a share is evident, or may as well be chance: what keeps one failure of three from being an
alarm."""

from __future__ import annotations

import math

PLENTY = 200
"""Of so many, the share itself is off by less than a tenth: nothing is left to be tested."""
CHANCE = 0.02


def is_evident(part: int, whole: int, share: float) -> bool:
    """Whether `part` of `whole` shows a true share above `share` (0..1): were it no higher, so many would
    come about by chance less than once in fifty times. Exact (binomial), so it holds for the smallest
    numbers.
    """
    if whole <= 0 or part / whole <= share:
        return False
    return part >= PLENTY or _at_least(part, whole, share) < CHANCE


def _at_least(part: int, whole: int, share: float) -> float:
    """P(X >= part) of a binomial with `whole` trials and chance `share`."""
    if share <= 0:
        return 0.0
    log_one, log_none = math.log(share), math.log1p(-share)
    of_all = math.lgamma(whole + 1)
    below = (
        of_all - math.lgamma(k + 1) - math.lgamma(whole - k + 1) + k * log_one + (whole - k) * log_none
        for k in range(part)
    )
    return max(0.0, 1.0 - math.fsum(math.exp(each) for each in below))
