"""Five weeks of made-up traffic at three endpoints, minute by minute: nights, weekends, bursts and small
faults as any healthy installation has them. The last week is lived through, the four before are its past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from alerts.model import (
    ErrorCount,
    ProbeKind,
    ProbeResult,
    QueueSample,
    Refusal,
    Repeats,
    Stuck,
    Target,
    Terms,
    Window,
)
from tests.alerts.world import World

MINUTE, DAY, WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(weeks=1)
FIRST = datetime(2026, 10, 5, tzinfo=UTC)
"""A Monday."""
MONDAY = FIRST + 4 * WEEK
MINUTES = 5 * 7 * 24 * 60

PAYMENTS = Target("production", "stripe", "payments")
TRANSFERS = Target("production", "orum", "transfers")
VOIDED = replace(PAYMENTS, event_type="invoice.voided")
"""One type among those of the payments."""
RARE = Target("production", "hopnow", "onboarding")

Counts = dict[str, NDArray[np.int64]]
Change = Callable[[Counts, slice], None]


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A distribution of milliseconds with this median."""

    count: int
    median_ms: float

    def quantile(self, q: float) -> float | None:
        return self.median_ms * float(np.exp(0.6 * NormalDist().inv_cdf(q))) if self.count else None

    def share_above(self, ms: float) -> float:
        if not self.count or self.median_ms <= 0:
            return 0.0
        return 1 - NormalDist().cdf(float(np.log(ms / self.median_ms)) / 0.6)


def minutes(start_at: datetime, end_at: datetime) -> Iterator[datetime]:
    """Each minute of the office hours; by night and at weekends, when little changes, each tenth."""
    now = start_at
    while now < end_at:
        yield now
        calm = not 8 <= now.hour < 18 or now.weekday() > 4
        now += 10 * MINUTE if calm else MINUTE


def traffic(seed: int = 1) -> dict[Target, Counts]:
    """What each target did in each minute. process and ack: the sum of the medians, in ms, of its records."""
    dice = np.random.default_rng(seed)
    minute = np.arange(MINUTES)
    hour, weekday = minute // 60 % 24, minute // 1440 % 7
    workday = weekday < 5
    office = (hour >= 8) & (hour < 20)
    # a batch job of the provider's at 09:30 and 17:00 of each working day: six times the traffic, and slower
    burst = workday & np.isin(minute % 1440 // 10, (57, 102))
    busy = np.where(office, 100.0, np.where(hour < 6, 5.0, 40.0)) * np.where(workday, 1.0, 0.5)
    rates = {
        PAYMENTS: busy * np.where(burst, 6.0, 1.0),
        TRANSFERS: np.where(workday & office, 20.0, 0.0),
        VOIDED: busy * 0.02,
        RARE: np.where(workday & office, 3 / 720, 0.0),
    }
    found = {}
    for target, rate in rates.items():
        arrived = dice.poisson(rate)
        failed, dead = dice.binomial(arrived, 0.003), dice.binomial(arrived, 0.00002)
        duplicates = dice.binomial(arrived, 0.01)
        scanned = dice.poisson(5 / 1440 if target is RARE else 0.05, MINUTES) * (target is not VOIDED)
        queued = target is TRANSFERS
        found[target] = {
            "succeeded": arrived - dead,
            "failed": failed,
            "dead_lettered": dead,
            "accepted": arrived * queued,
            "duplicates": duplicates,
            "redelivered": failed * (not queued),
            "answered": arrived + duplicates + failed * (not queued),
            "wrong": failed * (not queued),
            "forged": scanned,
            "believed": np.zeros_like(arrived),
            "process": (arrived + failed) * np.where(burst, 240, 80),
            "ack": (arrived + duplicates) * np.where(burst, 260, 90),
            "stuck": np.zeros_like(arrived),
            "off_time": np.zeros_like(arrived),
        }
    _add(found[PAYMENTS], found[VOIDED])
    return found


def _add(counts: Counts, more: Counts) -> None:
    for name, n in more.items():
        counts[name] += n


@dataclass(slots=True)
class Week(World):
    """The world as of `now`. now: moved by the test."""

    counts: dict[Target, Counts] = field(default_factory=traffic)
    now: datetime = MONDAY
    sums: dict[Target, Counts] = field(default_factory=dict)
    lasts: dict[Target, NDArray[np.int64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = [target for target in self.counts if target.event_type is None]
        self.agreed = Terms(timedelta(seconds=5), objective=0.9999)
        self.done_twice = Repeats(50, 0)
        for target, counts in self.counts.items():
            self.sums[target] = {name: np.concatenate(([0], np.cumsum(n))) for name, n in counts.items()}
            moving = np.where(counts["succeeded"] + counts["failed"] > 0, np.arange(MINUTES), -1)
            self.lasts[target] = np.maximum.accumulate(moving)

    def last_heartbeat_at(self) -> datetime | None:
        return self.now

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        counts = self.sums[target]
        first, end = (min(MINUTES, max(0, (at - FIRST) // MINUTE)) for at in (start_at, end_at))
        n = {name: int(counts[name][end] - counts[name][first]) for name in counts}
        timed, failures = n["succeeded"] + n["failed"], n["failed"] + n["dead_lettered"]
        return Window(
            target,
            start_at,
            end_at,
            succeeded=n["succeeded"],
            failed=n["failed"],
            dead_lettered=n["dead_lettered"],
            accepted=n["accepted"],
            duplicates=n["duplicates"],
            redelivered=n["redelivered"],
            off_time=n["off_time"],
            rejected=n["forged"],
            deliveries=n["answered"] + n["forged"],
            answers={200: n["answered"] - n["wrong"], 500: n["wrong"]},
            refusals={401: n["forged"] - n["believed"], 200: n["believed"]},
            verification_failures={"bad_signature": n["forged"]} if n["forged"] else {},
            process_ms=LogNormal(timed, n["process"] / max(1, timed)),
            ack_ms=LogNormal(n["answered"], n["ack"] / max(1, n["answered"])),
            top_errors=[ErrorCount("Timeout", failures)] if failures else [],
        )

    def types(self, target: Target) -> Sequence[Target]:
        return [VOIDED] if target == PAYMENTS else []

    def past(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        return self.window(target, start_at.replace(minute=0), (end_at + 59 * MINUTE).replace(minute=0))

    def last_event_at(self, target: Target) -> datetime | None:
        minute = int(self.lasts[target][min(MINUTES, (self.now - FIRST) // MINUTE) - 1])
        return None if minute < 0 else FIRST + minute * MINUTE

    def stuck(self, target: Target, older_than: timedelta, back: timedelta) -> Stuck:
        counts, end = self.sums[target], (self.now - older_than - FIRST) // MINUTE
        first = (self.now - back - FIRST) // MINUTE
        acknowledged, open_ones = (
            int(counts[name][end] - counts[name][first]) for name in ("accepted", "stuck")
        )
        return Stuck(acknowledged, open_ones, self.now - older_than if open_ones else None)

    def refused(self, target: Target, start_at: datetime, end_at: datetime) -> Sequence[Refusal]:
        forged = self.window(target, start_at, end_at).rejected
        return [Refusal(f"r{n}", "bad_signature", f"203.0.113.{n % 40}") for n in range(min(200, forged))]

    def queues(self, target: Target) -> Sequence[QueueSample]:
        if target != TRANSFERS:
            return []
        arrived = self.window(target, self.now - MINUTE, self.now).accepted
        return [QueueSample("inbox", 4 * arrived, min(60.0, 2.0 * arrived), self.now - MINUTE / 2)]

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        if kind is ProbeKind.TLS:
            ends_at = MONDAY + 60 * DAY
            return [ProbeResult(kind, ok=True, checked_at=self.now - 20 * MINUTE, cert_not_after=ends_at)]
        if kind is not ProbeKind.HTTP:
            return []
        failed = (self.now - FIRST) // MINUTE % 700 == 0  # a packet is lost now and then
        return [ProbeResult(kind, not failed, self.now, 200, 12.0, consecutive_failures=int(failed))]


def changed(change: Change, target: Target, start_at: datetime, length: timedelta, seed: int = 1) -> Week:
    """The same traffic with a change to the counts of one target in some minutes."""
    counts = traffic(seed)
    first = (start_at - FIRST) // MINUTE
    before = {name: -n for name, n in counts[target].items()}
    change(counts[target], slice(first, first + length // MINUTE))
    if target is VOIDED:  # what changes of the type changes of its endpoint
        _add(counts[PAYMENTS], before)
        _add(counts[PAYMENTS], counts[target])
    return Week(counts=counts)
