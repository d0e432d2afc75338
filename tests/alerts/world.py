"""A world for rules to look at: windows, queue samples and probe results set by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from alerts.model import ErrorCount, ProbeKind, ProbeResult, QueueSample, Rule, Target, Window

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PAYMENTS = Target("production", "stripe", "payments")


@dataclass(frozen=True, slots=True)
class Times:
    """A distribution of exact values."""

    values_ms: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.values_ms)

    def quantile(self, q: float) -> float | None:
        if not self.values_ms:
            return None
        ordered = sorted(self.values_ms)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]

    def share_above(self, ms: float) -> float:
        return sum(value > ms for value in self.values_ms) / max(1, len(self.values_ms))


@dataclass(slots=True)
class World:
    """Implements Observations. window: a function of (target, start_at, end_at), so that a test can vary
    it."""

    heartbeat_at: datetime | None = NOW
    places: list[Target] = field(default_factory=lambda: [PAYMENTS])
    window_of: Callable[[Target, datetime, datetime], Window] = Window
    samples: Sequence[QueueSample] = ()
    results: Mapping[ProbeKind, Sequence[ProbeResult]] = field(default_factory=dict)

    def last_heartbeat_at(self) -> datetime | None:
        return self.heartbeat_at

    def targets(self, rule: Rule) -> Sequence[Target]:
        return self.places

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        return self.window_of(target, start_at, end_at)

    def queues(self, target: Target) -> Sequence[QueueSample]:
        return self.samples

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        return self.results.get(kind, ())


def attempts(succeeded: int = 0, failed: int = 0, dead_lettered: int = 0, error: str = "Timeout") -> World:
    """A world in which every target had these attempts."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        failures = failed + dead_lettered
        return Window(
            target,
            start_at,
            end_at,
            succeeded=succeeded,
            failed=failed,
            dead_lettered=dead_lettered,
            deliveries=succeeded + failures,
            top_errors=(ErrorCount(error, failures),) if failures else (),
            failure_exemplars=("0193f000-0000-7000-8000-000000000001",) if failures else (),
        )

    return World(window_of=window)


def processing(*values_ms: float) -> World:
    """A world in which every target's attempts took these times."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(
            target,
            start_at,
            end_at,
            succeeded=len(values_ms),
            process_ms=Times(values_ms),
            slow_exemplars=("0193f000-0000-7000-8000-000000000002",),
        )

    return World(window_of=window)


def deliveries(total: int, **refused: int) -> World:
    """A world in which every target had this many deliveries, some of them refused for these reasons."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(target, start_at, end_at, deliveries=total, verification_failures=refused)

    return World(window_of=window)


def queue(depth: int, oldest_age_s: float | None = None, sampled_before: timedelta = timedelta(0)) -> World:
    return World(samples=[QueueSample("inbox", depth, oldest_age_s, NOW - sampled_before)])


def probed(*results: ProbeResult) -> World:
    """A world in which every target was probed with these results, newest first."""
    kinds = {result.kind for result in results}
    return World(results={kind: [item for item in results if item.kind is kind] for kind in kinds})


def down(failures: int, error: str = "connection refused", checked_before: timedelta = timedelta(0)) -> World:
    """A world whose last probes failed this many times in a row, once a minute; a good one came before."""
    bad = [
        ProbeResult(
            ProbeKind.HTTP,
            ok=False,
            checked_at=NOW - checked_before - timedelta(minutes=ago),
            error=error,
            consecutive_failures=failures - ago,
        )
        for ago in range(failures)
    ]
    good = ProbeResult(
        ProbeKind.HTTP,
        ok=True,
        checked_at=NOW - checked_before - timedelta(minutes=failures),
        status=200,
        latency_ms=12,
    )
    return probed(*bad, good)


def certificate(left: timedelta, checked_before: timedelta = timedelta(0)) -> World:
    """A world whose endpoint has a certificate with this much time left."""
    result = ProbeResult(
        ProbeKind.TLS, ok=left > timedelta(0), checked_at=NOW - checked_before, cert_not_after=NOW + left
    )
    return probed(result)


def silent_for(silence: timedelta | None) -> World:
    """A world whose last heartbeat is this old; None for no heartbeat ever."""
    return replace(World(), heartbeat_at=None if silence is None else NOW - silence)
