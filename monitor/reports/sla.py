"""The weekly SLA report as figures: one line a source and one an endpoint. Pure: values in, values out.

What each rate means is `monitor.figures`'; how a report looks is `render.py`'s.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.patterns import matches
from monitor import figures
from monitor.figures import Rate
from monitor.model import Duration, Outcome, ProbeResult, SeriesKey
from monitor.rollup import Rollup

PROBE_COVERS = timedelta(minutes=10)
"""How long one failed probe counts as downtime at most, when no other probe follows it."""


@dataclass(frozen=True, slots=True)
class Week:
    """Which time a report is about: [start_at, end_at), between local midnights of `zone`."""

    name: str  # ISO, as in 2026-W47
    zone: str
    environment: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise: at least `share` (0..1) of events succeed. `*` in a pattern stands for any run of text."""

    name: str
    share: float
    source: str = "*"
    endpoint: str = "*"


@dataclass(frozen=True, slots=True)
class SlaLine:
    """One source (endpoint None) or one endpoint. Durations are of processing, in milliseconds.

    objective: the strictest that applies. uptime: ok probes of all; downtime: None without probes.
    """

    source: str
    endpoint: str | None
    deliveries: int
    ack_success: Rate
    event_success: Rate
    objective: float | None
    error_rate: Rate
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    dead_letters: int
    recovered: int
    verification_failures: int
    uptime: Rate
    downtime: timedelta | None

    @property
    def met(self) -> bool | None:
        """Whether the objective was met; None without one, or without an event that ended."""
        share = self.event_success.share
        return None if self.objective is None or share is None else share >= self.objective


@dataclass(frozen=True, slots=True)
class SlaReport:
    """lines: by source, each before its endpoints. No lines mean no data, neither 0 % nor 100 %."""

    week: Week
    as_of: datetime
    lines: tuple[SlaLine, ...]

    @property
    def is_empty(self) -> bool:
        return not self.lines

    @property
    def is_over(self) -> bool:
        """Whether the week had ended when the report was made."""
        return self.week.end_at <= self.as_of


def sla_report(
    week: Week,
    totals: Mapping[SeriesKey, Rollup],
    probes: Iterable[ProbeResult],
    as_of: datetime,
    objectives: Sequence[Objective] = (),
    expected: Mapping[str, Collection[int]] | None = None,
) -> SlaReport:
    """The report of one week.

    totals: of sources and endpoints, the silent ones left out. probes: HTTP, oldest first. expected: per
    source the statuses of a good ack; where there are none, every 2xx.
    """
    seen = _by_endpoint(probes)
    keys = {*totals, *seen, *(key.parent for key in seen if key.parent is not None)}
    end_at = min(week.end_at, as_of)
    lines = []
    for key in sorted(keys, key=lambda key: (key.source or "", key.endpoint or "")):
        own = [results for place, results in seen.items() if key in (place, place.parent)]
        good = (expected or {}).get(key.source or "", ())
        lines.append(_line(key, totals.get(key, Rollup()), own, end_at, objectives, good))
    return SlaReport(week, as_of, tuple(lines))


def _line(
    key: SeriesKey,
    rollup: Rollup,
    probes: Sequence[Sequence[ProbeResult]],
    end_at: datetime,
    objectives: Sequence[Objective],
    expected: Collection[int],
) -> SlaLine:
    p50_ms, p95_ms, p99_ms = rollup.distribution(Duration.PROCESS).quantiles(0.5, 0.95, 0.99)
    looks = [result.ok for results in probes for result in results]
    return SlaLine(
        source=key.source or "",
        endpoint=key.endpoint,
        deliveries=figures.deliveries(rollup),
        ack_success=figures.ack_success(rollup, expected),
        event_success=figures.event_success(rollup),
        objective=_objective(key, objectives),
        error_rate=figures.attempt_error_rate(rollup),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        dead_letters=rollup.outcome(Outcome.DEAD_LETTERED),
        recovered=figures.recovered(rollup),
        verification_failures=figures.verification_failures(rollup),
        uptime=Rate(sum(looks), len(looks)),
        downtime=sum((downtime(results, end_at) for results in probes), timedelta()) if looks else None,
    )


def downtime(probes: Sequence[ProbeResult], end_at: datetime) -> timedelta:
    """How long one endpoint was down: from each failed probe to the next one, at most PROBE_COVERS each.

    probes: of one endpoint, oldest first, all before `end_at`.
    """
    ends = [*(result.checked_at for result in probes[1:]), end_at]
    return sum(
        (
            min(end - result.checked_at, PROBE_COVERS)
            for result, end in zip(probes, ends, strict=False)
            if not result.ok
        ),
        timedelta(),
    )


def _by_endpoint(probes: Iterable[ProbeResult]) -> dict[SeriesKey, list[ProbeResult]]:
    found: dict[SeriesKey, list[ProbeResult]] = {}
    for result in probes:
        found.setdefault(SeriesKey(result.environment, result.source, result.endpoint), []).append(result)
    return found


def _objective(key: SeriesKey, objectives: Sequence[Objective]) -> float | None:
    """The strictest that applies; a source is held only to those for all its endpoints."""
    fitting = [
        objective.share
        for objective in objectives
        if matches(objective.source, key.source or "") and _covers(objective.endpoint, key.endpoint)
    ]
    return max(fitting, default=None)


def _covers(pattern: str, endpoint: str | None) -> bool:
    return pattern == "*" if endpoint is None else matches(pattern, endpoint)
