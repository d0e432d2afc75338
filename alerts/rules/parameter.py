"""What a parameter of a kind of rule is: its meaning, and the values that can be meant.

A value outside of them would never fire, always fire, or break the rule at night; so it is refused when the
rule is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from alerts.wording import span

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Parameter:
    """about: what it means, for the docs. form: what its values are, such as "seconds". least, most: the
    smallest and the largest that can be meant. off: 0 is taken besides, and switches off what the parameter
    is for. whole: fractions are not."""

    about: str
    form: str
    least: float
    most: float
    off: bool = False
    whole: bool = False

    def takes(self, value: float) -> bool:
        """Whether the value can be meant; NaN and infinity never are."""
        if self.off and value == 0:
            return True
        return self.least <= value <= self.most and not (self.whole and value % 1)

    @property
    def expected(self) -> str:
        """The values that can be meant: `0, or seconds from 1 to 2592000 (30 d)`."""
        most = f"{self.most:.12g}"
        if self.form == "seconds":
            most += f" ({span(timedelta(seconds=self.most))})"
        return f"{'0, or ' if self.off else ''}{self.form} from {self.least:.12g} to {most}"


def share(about: str, *, least: float = 0) -> Parameter:
    return Parameter(about, "a share", least, 1)


def quantile(about: str) -> Parameter:
    return Parameter(about, "a quantile", 0.01, 0.9999)


def seconds(about: str, *, most: float, off: bool = False) -> Parameter:
    return Parameter(about, "seconds", 1, most, off)


def milliseconds(about: str) -> Parameter:
    return Parameter(about, "milliseconds", 0, 1000 * DAY_S)


def days(about: str, *, least: float = 0, most: float = 400, off: bool = False) -> Parameter:
    return Parameter(about, "days", least, most, off)


def weeks(about: str) -> Parameter:
    return Parameter(about, "a whole number of weeks", 0, 52, whole=True)


def count(about: str, *, off: bool = False) -> Parameter:
    return Parameter(about, "a whole number", 1, 1_000_000_000, off, whole=True)


def factor(about: str, *, off: bool = False) -> Parameter:
    return Parameter(about, "a factor", 1, 1_000, off)
