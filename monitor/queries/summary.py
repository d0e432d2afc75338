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
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, Parts

STEPS: tuple[tuple[Grain, int], ...] = (
    *((Grain.MINUTE, n) for n in (1, 2, 5, 10, 15, 30)),
    *((Grain.HOUR, n) for n in (1, 2, 3, 6, 12)),
    *((Grain.DAY, n) for n in (1, 7, 28)),
)
"""The steps a chart may have: (grain, how many of its buckets)."""


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
    """Figures of adjoining steps from the one `start_at` lies in, oldest first; empty steps are there too.

    Their ack_ms is not read.
    """

    step: timedelta
    points: Sequence[tuple[datetime, Summary]]


def step_of(length: timedelta, most_points: int) -> tuple[Grain, int]:
    """The finest step that cuts `length` into at most `most_points`, or the widest there is."""
    minutes = length / timedelta(minutes=1)
    fitting = (step for step in STEPS if minutes / (step[0].minutes * step[1]) <= most_points)
    return next(fitting, STEPS[-1])


def chart(
    reader: FactReader,
    key: SeriesKey,
    start_at: datetime,
    end_at: datetime,
    most_points: int = 120,
    expected: Collection[int] = (),
) -> Chart:
    """The course of one series over [start_at, end_at), in steps that fit `most_points`."""
    grain, every = step_of(end_at - start_at, most_points)
    step = timedelta(minutes=grain.minutes * every)
    step_us = step // timedelta(microseconds=1)
    first_us = to_us(start_at) // step_us * step_us
    found = reader.rollups([key], grain, first_us, to_us(end_at), every, DRAWN).get(key, {})
    return Chart(
        step,
        [
            (from_us(at_us), Summary(found.get(at_us, Rollup()), expected))
            for at_us in range(first_us, to_us(end_at), step_us)
        ],
    )


def top_errors(reader: FactReader, rollup: Rollup, most: int = 10) -> list[tuple[str, int]]:
    """(error class, failures), most frequent first; a class that several endpoints have is one."""
    counts = rollup.errors()
    names = reader.error_names(list(counts)) if counts else {}
    by_name: dict[str, int] = {}
    for code, n in counts.items():
        name = names.get(code, f"#{code}")
        by_name[name] = by_name.get(name, 0) + n
    return sorted(by_name.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
