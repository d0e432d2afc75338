"""A threshold as a person writes it: a number in the kind's unit, or a text with a unit of its own.

What cannot be meant is refused with the form that can: 5 for a share, "5 %" for a time, 5 for milliseconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[a-z]+)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Unit:
    """form: what is expected, with an example. suffixes: unit in a text → what one is in this unit.

    A bare number must lie in [least, most]: outside of it, another unit was meant. However it is written it
    is no more than `limit`: as text that is `limit_said`.
    """

    form: str
    suffixes: Mapping[str, float] = field(default_factory=dict)
    least: float = 0.0
    most: float = math.inf
    limit: float = 1e9
    limit_said: str = "1000000000"


_COUNT = Unit('a number such as 10, or "10 events"', {"events": 1.0, "failures": 1.0})
UNITS: Mapping[str, Unit] = {
    "share": Unit('a share from 0 to 1 such as 0.05, or "5 %"', {"%": 0.01}),
    "ms": Unit(
        'milliseconds such as 5000, or a time such as "5s"',
        {name: 1000 * each for name, each in _SECONDS.items()},
        least=20,
        limit=86_400_000,
        limit_said="a day",
    ),
    "s": Unit(
        'seconds such as 60, or a time such as "1m"',
        _SECONDS,
        most=86400,
        limit=34_560_000,
        limit_said="400 days",
    ),
    "days": Unit(
        'days such as 30, or a time such as "30d"',
        {name: each / 86400 for name, each in _SECONDS.items()},
        most=1000,
        limit=1000,
        limit_said="1000 days",
    ),
    "events": _COUNT,
    "failures": _COUNT,
    "x": Unit('a factor such as 6, or "6 x"', {"x": 1.0, "times": 1.0}),
}


def in_unit(value: float | str, unit: str) -> float:
    """The number in the unit. Raises ValueError with the expected form, without the name of the field."""
    known = UNITS.get(unit, Unit("a number"))
    if isinstance(value, str):
        found = _TEXT.fullmatch(value.strip().lower())
        if found is None or found[2] not in known.suffixes:
            raise ValueError(f'must be {known.form}, not "{value}"')
        return _within(float(found[1]) * known.suffixes[found[2]], known, f'"{value}"')
    if value > 0 and math.isfinite(value) and not known.least <= value <= known.most:
        raise ValueError(f"must be {known.form}; {value:g} cannot be meant")
    return _within(value, known, f"{value:g}")


def _within(value: float, known: Unit, written: str) -> float:
    if value > known.limit:
        raise ValueError(f"must be {known.limit_said} at most, not {written}")
    return value
