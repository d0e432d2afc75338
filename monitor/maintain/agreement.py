"""Whether two rollups say the same, and on what they disagree; a missing one is an empty one. Pure."""

from collections.abc import Collection, Mapping

from monitor.rollup import Exemplars, Rollup


def same(one: Rollup | None, other: Rollup | None, but: Collection[int]) -> bool:
    """All alike but the counts with a key in `but`."""
    return one == other or _parts(one or Rollup(), but) == _parts(other or Rollup(), but)


def between(low: Rollup | None, middle: Rollup | None, high: Rollup | None, but: Collection[int]) -> bool:
    """No count of the middle one is below the low one's or above the high one's."""
    (least, _, _, _), (counts, _, _, _), (most, _, _, _) = (
        _parts(one or Rollup(), but) for one in (low, middle, high)
    )
    return all(
        least.get(key, 0) <= counts.get(key, 0) <= most.get(key, 0) for key in {*least, *counts, *most}
    )


def disagreement(counted: Rollup, stored: Rollup, but: Collection[int]) -> str:
    """The part that differs, in a word."""
    if counted.records() != stored.records():
        return "records"
    names = ("counts", "lowest", "highest", "examples")
    parts = zip(names, _parts(counted, but), _parts(stored, but), strict=True)
    return next((name for name, one, other in parts if one != other), "counts")


Counts = Mapping[tuple[int, int], int]


def _parts(
    rollup: Rollup, but: Collection[int]
) -> tuple[Counts, Mapping[int, int], Mapping[int, int], Exemplars]:
    """All counts, those of the bins too, without zeros and `but`; extremes; exemplars."""
    counts = {(-1, key): n for key, n in rollup.counts.items() if n and key not in but}
    counts |= {(kind, bin): n for kind, bins in rollup.bins.items() for bin, n in bins.items() if n}
    return counts, rollup.lows, rollup.highs, rollup.exemplars
