"""What an endpoint shows for its checklists, what an item finds in it, and how long evidence counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.model import Repeats, Terms
from alerts.sightings import Sighting
from alerts.wording import span
from monitor.histogram import Distribution
from monitor.model import ProbeKind, ProbeResult
from monitor.rollup import Rollup

FRESH = timedelta(days=30)
"""So long counts what happens now and then: a copy, a forgery, a canary, a replay, a drill."""
LOOKED_BACK = timedelta(days=90)
"""So far back is looked for the last time of what is no longer fresh."""


class Verdict(StrEnum):
    """What is known of an item."""

    PASS = "pass"  # noqa: S105  # the word
    FAIL = "fail"
    UNKNOWN = "no evidence yet"
    ATTESTED = "attested"


@dataclass(frozen=True, slots=True)
class Rush:
    """The busiest hour while that is fresh. a_minute: deliveries of its busiest minute. answers: how long all
    of them took. elsewhere: the other environment that it was in."""

    at: datetime
    a_minute: int
    answers: Distribution
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel last made of a message: took it, or gave it up for this error."""

    at: datetime
    took: bool
    error: str = ""


Days = Mapping[datetime, Rollup]
"""By the start of the day (UTC), of the time that is looked back."""
Count = Callable[[Rollup], int]


@dataclass(frozen=True, slots=True)
class Shown:
    """One endpoint. week: its last seven days. probes: the latest of each kind. elsewhere: the days of the
    same endpoint in other environments. rushes: at most one an environment. channels: those that are told of
    alerts, with what they last made of a message."""

    now: datetime
    url: str | None
    terms: Terms
    week: Rollup
    days: Days = field(default_factory=dict)
    probes: Mapping[ProbeKind, ProbeResult] = field(default_factory=dict)
    sightings: Sequence[Sighting] = ()
    repeats: Repeats = field(default_factory=Repeats)
    elsewhere: Mapping[str, Days] = field(default_factory=dict)
    rushes: Sequence[Rush] = ()
    channels: Mapping[str, Told | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """How often something was seen while that is fresh, and the day it was last seen, fresh or not."""

    times: int
    last: datetime | None = None

    @property
    def lately(self) -> str:
        """`in 30 d, the last on 2026-11-18`."""
        return f"in {FRESH.days} d, the last on {self.last:%Y-%m-%d}" if self.last else f"in {FRESH.days} d"


def seen(now: datetime, count: Count, *kept: Days) -> Seen:
    """Of one environment or several together."""
    when = [(at, n) for days in kept for at, one in days.items() if (n := count(one))]
    last = max((at for at, _ in when), default=None)
    return Seen(sum(n for at, n in when if now - at <= FRESH), last)


@dataclass(frozen=True, slots=True)
class Found:
    """said: the figure. on: when the newest evidence is from, of what is counted the start of its day."""

    verdict: Verdict
    said: str
    on: datetime | None = None


Judge = Callable[[Shown], Found]


def none_yet(said: str, now: datetime, last: datetime | None = None) -> Found:
    """No evidence that still counts, or not enough of it. last: the newest there is."""
    age = timedelta(days=(now - last).days) if last is not None else timedelta(0)
    if age:
        said = f"{said}; the last was {span(age)} ago"
    return Found(Verdict.UNKNOWN, said, last)


def latest(*times: datetime | None) -> datetime | None:
    """None where there is none."""
    return max(filter(None, times), default=None)
