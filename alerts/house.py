"""The monitor itself, as a rule may see it: its rounds, its outbox, its store, and who reports to it.

Values only; the monitor's query layer fills them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one channel although its time had come. since: when the oldest of it was told first."""

    channel: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """One receiver's process that reports. skew: its clock less the collector's; None when it says no time.

    dropped: records that it gave up, per reason, since it started; dropped_at: when that last grew. missing:
    records that were made, and neither stored nor waiting nor dropped.
    """

    name: str
    seen_at: datetime
    skew: timedelta | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_at: datetime | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class House:
    """evaluated_at: when a round over the rules was last completed; None when none ever was.

    budget_bytes: 0 without a bound. disk_bytes, disk_free_bytes: of the disk of the data, 0 when it is not
    this machine's. instances: those that were heard of within a day.
    """

    evaluated_at: datetime | None = None
    backlogs: Sequence[Backlog] = ()
    used_bytes: int = 0
    budget_bytes: int = 0
    disk_bytes: int = 0
    disk_free_bytes: int = 0
    instances: Sequence[Instance] = ()
