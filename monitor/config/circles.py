"""[[inhibitions]] that lead in a circle: each hides what the next one needs, and the last one the first.

While all of it fires, none of it has a better claim than the others to be told.

Only what is named without `*` is judged: that a pattern may reach so far is no mistake. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

from alerts.model import Inhibition
from alerts.patterns import matches

NAMES = ("rule", "kind")

Walk = tuple[int, ...]
"""Places of inhibitions, each hiding what the next one needs."""


def circles(
    inhibitions: Sequence[Inhibition], rules: Mapping[str, str]
) -> Iterator[tuple[int, Sequence[str]]]:
    """(place of its last inhibition, the rules in turn) of each circle of two and more, no inhibition in two.

    rules: name → kind of all there are.
    """
    causes = [_named(one.source, rules) for one in inhibitions]
    hidden = [_named(one.target, rules) for one in inhibitions]
    follows = {
        at: [
            then
            for then, other in enumerate(inhibitions)
            if hidden[at] & causes[then] and _can_fit_both(one.target, other.source)
        ]
        for at, one in enumerate(inhibitions)
    }
    used: set[int] = set()
    for start in range(len(inhibitions)):
        walk = None if start in used else _back_to(start, follows, inhibitions)
        if walk is not None and used.isdisjoint(walk):
            used.update(walk)
            closed = pairwise((*walk, start))
            yield max(walk), [min(hidden[at] & causes[then]) for at, then in closed]


def _named(matchers: Mapping[str, str], rules: Mapping[str, str]) -> set[str]:
    """The rules that the matchers name; none where they name them by a pattern, or not at all."""
    stated = [(label, matchers[label]) for label in NAMES if label in matchers]
    if not stated or any("*" in pattern for _, pattern in stated):
        return set()
    return {
        name
        for name, kind in rules.items()
        if all(pattern == {"rule": name, "kind": kind}[label] for label, pattern in stated)
    }


def _back_to(
    start: int, follows: Mapping[int, Sequence[int]], inhibitions: Sequence[Inhibition]
) -> Walk | None:
    """The shortest walk from an inhibition through others back to it; None where there is none."""
    walks: list[Walk] = [(start,)]
    seen = {start}
    while walks:
        further = []
        for walk in walks:
            for then in follows[walk[-1]]:
                if then == start and len(walk) > 1 and _can_meet([inhibitions[at] for at in walk]):
                    return walk
                if then not in seen:
                    seen.add(then)
                    further.append((*walk, then))
        walks = further
    return None


def _can_meet(inhibitions: Sequence[Inhibition]) -> bool:
    """Whether what all of them want to be alike can be alike."""
    sides = [side for one in inhibitions for side in (one.source, one.target)]
    return all(
        _overlap(one[label], other[label])
        for label in set.intersection(*(set(one.equal) for one in inhibitions))
        for one, other in combinations([side for side in sides if label in side], 2)
    )


def _can_fit_both(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether an alert may fit both, but for its rule and kind."""
    labels = (set(one) & set(other)) - set(NAMES)
    return all(_overlap(one[label], other[label]) for label in labels)


def _overlap(one: str, other: str) -> bool:
    """Whether a text may fit both patterns; taken to be so where both have a `*`."""
    if "*" in one and "*" in other:
        return True
    return matches(one, other) if "*" not in other else matches(other, one)
