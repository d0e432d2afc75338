"""The figures of one series over some time, and their course as a chart: what most screens show.

Figures are computed when asked for, so that a screen pays for what it shows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor import figures
from monitor.clock import from_us, to_us
from monitor.figures import Rate
from monitor.histogram import Distribution
from monitor.model import Duration, Grain, Outcome, SeriesKey
from monitor.queries.stretch import Kept, kept_now
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, Parts

STEPS: tuple[tuple[Grain, int], ...] = (
    *((Grain.MINUTE, n) for n in (1, 2, 5, 10, 15, 30)),
    *((Grain.HOUR, n) for n in (1, 2, 3, 6, 12)),
    *((Grain.DAY, n) for n in (1, 7, 28)),
)
"""The steps a chart may have: (grain, how many of its buckets)."""
DAYS_BEYOND = timedelta(days=90)
"""A longer chart reads days alone, however many points it may have: thousands of hours take too long."""


SHOWN = Parts((Duration.ACK, Duration.PROCESS), exemplars=False)
"""What a Summary needs of a rollup."""
DRAWN = Parts((Duration.PROCESS,), exemplars=False)
"""The same without ack_ms."""


@dataclass(frozen=True, slots=True)
class Summary:
    """expected: statuses that count as a good ack; empty takes every 2xx. Durations are milliseconds."""

    rollup: Rollup = field(default_factory=Rollup)
    expected: Collection[int] = ()

    @property
    def records(self) -> int:
        """All records, replays and canaries included."""
        return self.rollup.records()

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """Records per outcome, without replays, canaries and zeros."""
        return figures.outcomes(self.rollup)

    @property
    def attempts(self) -> int:
        return figures.attempts(self.rollup)

    @property
    def failures(self) -> int:
        return figures.failures(self.rollup)

    @property
    def deliveries(self) -> int:
        return figures.deliveries(self.rollup)

    @property
    def error_rate(self) -> Rate:
        return figures.attempt_error_rate(self.rollup)

    @property
    def event_success(self) -> Rate:
        return figures.event_success(self.rollup)

    @property
    def ack_success(self) -> Rate:
        return figures.ack_success(self.rollup, self.expected)

    @property
    def verification(self) -> Rate:
        return figures.verification_failure_rate(self.rollup)

    @property
    def recovered(self) -> int:
        return figures.recovered(self.rollup)

    @property
    def process_ms(self) -> Distribution:
        return self.rollup.distribution(Duration.PROCESS)

    @property
    def ack_ms(self) -> Distribution:
        return self.rollup.distribution(Duration.ACK)


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures of adjoining whole steps, oldest first: from the one the start lies in to the one the end does.

    Empty steps are there too. rounded_to: HOUR or DAY where finer steps would fit, but are purged.
    """

    step: timedelta
    points: Sequence[tuple[datetime, Summary]]
    rounded_to: Grain | None = None


def step_of(length: timedelta, most_points: int, finest: Grain = Grain.MINUTE) -> tuple[Grain, int]:
    """The finest step that cuts `length` into at most `most_points`, or the widest there is.

    finest: no step is of a finer grain.
    """
    minutes = length / timedelta(minutes=1)
    if length > DAYS_BEYOND:
        finest = Grain.DAY
    steps = [step for step in STEPS if step[0] >= finest]
    fitting = (step for step in steps if minutes / (step[0].minutes * step[1]) <= most_points)
    return next(fitting, steps[-1])


def chart(
    reader: FactReader,
    key: SeriesKey,
    start_at: datetime,
    end_at: datetime,
    most_points: int = 120,
    expected: Collection[int] = (),
    *,
    parts: Parts = DRAWN,
    now: datetime | None = None,
) -> Chart:
    """The course of one series over [start_at, end_at), in steps that fit `most_points` and are still kept.

    parts: what to read beside counts; ack_ms is left out unless SHOWN is asked for. now: left out, the chart
    ends now.
    """
    length = end_at - start_at
    while True:
        kept = kept_now(reader, now or end_at)
        grain, every = _kept_step(kept, start_at, length, most_points)
        step_us = grain.minutes * every * 60_000_000
        first_us, last_us = to_us(start_at) // step_us * step_us, -(-to_us(end_at) // step_us) * step_us
        found = reader.rollups([key], grain, first_us, last_us, every, parts).get(key, {})
        if _kept_step(kept_now(reader, now or end_at), start_at, length, most_points) == (grain, every):
            break  # else a purge has passed this step between choosing it and reading
    return Chart(
        timedelta(microseconds=step_us),
        [
            (from_us(at_us), Summary(found.get(at_us, Rollup()), expected))
            for at_us in range(first_us, last_us, step_us)
        ],
        grain if grain > step_of(length, most_points)[0] else None,
    )


def _kept_step(kept: Kept, start_at: datetime, length: timedelta, most_points: int) -> tuple[Grain, int]:
    """The step to draw in: fine enough for the screen, and whole from its first bucket on."""
    for finest in (Grain.MINUTE, Grain.HOUR):
        grain, every = step_of(length, most_points, finest)
        step_us = grain.minutes * every * 60_000_000
        if kept.finest(to_us(start_at) // step_us * step_us) <= grain:
            return grain, every
    return step_of(length, most_points, Grain.DAY)


def top_errors(reader: FactReader, rollup: Rollup, most: int = 10) -> list[tuple[str, int]]:
    """(error class, failures), most frequent first; a class that several endpoints have is one."""
    counts = rollup.errors()
    names = reader.error_names(list(counts)) if counts else {}
    by_name: dict[str, int] = {}
    for code, n in counts.items():
        name = names.get(code, f"#{code}")
        by_name[name] = by_name.get(name, 0) + n
    return sorted(by_name.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
