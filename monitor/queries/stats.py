"""Event types over some time: how many, how they went, how long they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import figures
from monitor.clock import to_us
from monitor.histogram import Distribution
from monitor.model import UNVERIFIED, Duration, Outcome
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, Parts

DAY = timedelta(hours=24)
PROCESSED = Parts((Duration.PROCESS,), exemplars=False)


@dataclass(frozen=True, slots=True)
class TypeStats:
    """One type of one source. total: all its records but replays and canaries; failed: for now or for good.

    process_ms: of the attempts, in milliseconds.
    """

    source: str
    event_type: str
    total: int
    succeeded: int
    failed: int
    dead_lettered: int
    process_ms: Distribution

    @property
    def avg_ms(self) -> float | None:
        return self.process_ms.mean()

    @property
    def min_ms(self) -> float | None:
        return None if self.process_ms.min_us is None else self.process_ms.min_us / 1000

    @property
    def max_ms(self) -> float | None:
        return None if self.process_ms.max_us is None else self.process_ms.max_us / 1000

    @property
    def p50_ms(self) -> float | None:
        return self.process_ms.quantile(0.5)

    @property
    def p95_ms(self) -> float | None:
        return self.process_ms.quantile(0.95)

    @property
    def p99_ms(self) -> float | None:
        return self.process_ms.quantile(0.99)


def by_type(
    reader: FactReader,
    environment: str,
    end_at: datetime,
    *,
    over: timedelta = DAY,
    source: str | None = None,
    endpoint: str | None = None,
) -> Sequence[TypeStats]:
    """Every verified type seen in [end_at - over, end_at), the most frequent first, then by name."""
    keys = [
        key
        for key in reader.series(environment).values()
        if key.event_type not in (None, UNVERIFIED)
        and source in (None, key.source)
        and endpoint in (None, key.endpoint)
    ]
    found: dict[tuple[str, str], TypeStats] = {}
    for key, rollup in reader.total(keys, to_us(end_at - over), to_us(end_at), PROCESSED).items():
        name = (key.source or "", key.event_type or "")
        one = _stats(*name, rollup)
        found[name] = _sum(found[name], one) if name in found else one
    seen = [stats for stats in found.values() if stats.total]
    return sorted(seen, key=lambda stats: (-stats.total, stats.source, stats.event_type))


def _stats(source: str, event_type: str, rollup: Rollup) -> TypeStats:
    return TypeStats(
        source,
        event_type,
        sum(figures.outcomes(rollup).values()),
        rollup.outcome(Outcome.SUCCEEDED),
        figures.failures(rollup),
        rollup.outcome(Outcome.DEAD_LETTERED),
        rollup.distribution(Duration.PROCESS),
    )


def _sum(one: TypeStats, other: TypeStats) -> TypeStats:
    """The same type at two endpoints."""
    return TypeStats(
        one.source,
        one.event_type,
        one.total + other.total,
        one.succeeded + other.succeeded,
        one.failed + other.failed,
        one.dead_lettered + other.dead_lettered,
        one.process_ms.merged(other.process_ms),
    )
