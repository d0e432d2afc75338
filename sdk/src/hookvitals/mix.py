"""What a load is made of: `valid=90,bad_signature=5,duplicate=5`, and which answer each kind calls for.

The kinds are spread evenly and not at random: the same mix sends the same requests, and of as many as the
weights add up to, each kind has exactly its weight.
"""

import math
from dataclasses import dataclass
from typing import Dict, FrozenSet, Tuple

_REFUSED = frozenset((400, 401, 403))
_AT_WORK = frozenset((409, 503))

EXPECTED: Dict[str, Tuple[bool, FrozenSet[int]]] = {
    "valid": (True, frozenset()),
    "duplicate": (True, _AT_WORK),  # the first copy may still be at work
    "unknown_type": (True, frozenset()),
    "bad_signature": (False, _REFUSED),
    "missing_signature": (False, _REFUSED),
}
"""Of each kind: whether 2xx is expected, and which other statuses are."""

_MOST_WEIGHT = 10_000


def is_expected(kind: str, status: int) -> bool:
    """Whether a receiver that is well answers so. status: 0 for no answer."""
    taken, others = EXPECTED[kind]
    return (taken and 200 <= status < 300) or status in others


@dataclass(frozen=True)
class Mix:
    """Kinds and their weights, `valid` first."""

    weights: Tuple[Tuple[str, int], ...] = (("valid", 1),)

    def kind_of(self, number: int) -> str:
        """The kind of the event of this number; that of 0 is valid."""
        total = sum(weight for _, weight in self.weights)
        place = number * _stride(total) % total
        for kind, weight in self.weights:
            if place < weight:
                return kind
            place -= weight
        raise AssertionError("the weights are counted")

    def original_of(self, number: int) -> int:
        """The number of the last valid event before this one: a duplicate is its copy."""
        return next(at for at in range(number - 1, -1, -1) if self.kind_of(at) == "valid")


def mix_of(text: str) -> Mix:
    """From its words. Raises ValueError that says what is wrong."""
    weights: Dict[str, int] = {}
    for part in text.split(","):
        kind, _, weight = part.strip().partition("=")
        if kind not in EXPECTED:
            raise ValueError(f"a mix has no {kind!r}; it is made of {', '.join(EXPECTED)}")
        if kind in weights or not weight.isdecimal() or not 0 < int(weight) <= _MOST_WEIGHT:
            raise ValueError(f"in a mix each kind stands once, with a whole weight from 1 to {_MOST_WEIGHT}")
        weights[kind] = int(weight)
    if "valid" not in weights:
        raise ValueError("a mix needs valid events, e.g. valid=90,bad_signature=5,duplicate=5")
    return Mix(tuple(sorted(weights.items(), key=lambda pair: pair[0] != "valid")))


def _stride(total: int) -> int:
    """Without a common factor, near the golden section: what follows each other lies far apart."""
    stride = max(1, round(total * 0.618))
    while math.gcd(stride, total) != 1:
        stride += 1
    return stride
