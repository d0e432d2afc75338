"""What happened in some time by event type, endpoint, source, error class or outcome: how many, how well,
how fast."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from monitor import figures
from monitor.histogram import Distribution
from monitor.model import UNVERIFIED, Duration, Outcome, SeriesKey
from monitor.queries.stretch import Stretch, counted
from monitor.rollup import Rollup
from monitor.store.facts.protocol import COUNTED, FactReader, Parts

DAY = timedelta(hours=24)
PROCESSED = Parts((Duration.PROCESS,), exemplars=False)
FAILURES = (Outcome.FAILED, Outcome.DEAD_LETTERED)


class By(StrEnum):
    """What a line of the statistics stands for."""

    EVENT_TYPE = "event_type"
    ENDPOINT = "endpoint"
    SOURCE = "source"
    ERROR_CLASS = "error_class"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Stats:
    """One line; of the first five what it is a line of, the others empty. It leaves replays and canaries out.

    total: all its records; failed: for now or for good. process_ms: of the attempts, in milliseconds; it is
    not kept by error class and by outcome, and by error class neither is which failures were for good.
    """

    source: str = ""
    endpoint: str = ""
    event_type: str = ""
    error_class: str = ""
    outcome: Outcome | None = None
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    dead_lettered: int | None = 0
    process_ms: Distribution = field(default_factory=lambda: Distribution({}))

    @property
    def name(self) -> tuple[str, ...]:
        """What tells this line from the others of its table."""
        return (self.source, self.endpoint, self.event_type, self.error_class, self.outcome or "")

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


@dataclass(frozen=True, slots=True)
class Table:
    """Every line with a record in the stretch, the most frequent first, then by name."""

    by: By
    stretch: Stretch
    lines: Sequence[Stats]


def table(
    reader: FactReader,
    environment: str,
    start_at: datetime,
    end_at: datetime,
    by: By = By.EVENT_TYPE,
    *,
    source: str | None = None,
    endpoint: str | None = None,
    now: datetime | None = None,
) -> Table:
    """The statistics of [start_at, end_at), both rounded up to the minute. now: left out, it ends now."""
    keys = [
        key
        for key in reader.series(environment).values()
        if _is_level(by, key, endpoint is not None)
        and source in (None, key.source)
        and endpoint in (None, key.endpoint)
    ]
    parts = COUNTED if by in (By.ERROR_CLASS, By.OUTCOME) else PROCESSED
    stretch, totals = counted(
        reader, start_at, end_at, now or end_at, lambda start, end: reader.total(keys, start, end, parts)
    )
    found: dict[tuple[str, ...], Stats] = {}
    for line in _lines(reader, by, totals):
        found[line.name] = _sum(found[line.name], line) if line.name in found else line
    seen = [line for line in found.values() if line.total]
    return Table(by, stretch, sorted(seen, key=lambda line: (-line.total, line.name)))


def by_type(
    reader: FactReader,
    environment: str,
    end_at: datetime,
    *,
    over: timedelta = DAY,
    source: str | None = None,
    endpoint: str | None = None,
) -> Sequence[Stats]:
    """Every verified type seen in the time `over` that ends now, at end_at."""
    return table(reader, environment, end_at - over, end_at, source=source, endpoint=endpoint).lines


def _is_level(by: By, key: SeriesKey, of_endpoint: bool) -> bool:
    """True for the series whose totals make up the table: the widest that still tell the lines apart."""
    if by is By.EVENT_TYPE:
        return key.event_type not in (None, UNVERIFIED)
    if key.event_type is not None:
        return False
    if by is By.ENDPOINT or by is By.ERROR_CLASS or of_endpoint:
        return key.endpoint is not None
    return key.source is not None and key.endpoint is None


def _lines(reader: FactReader, by: By, totals: Mapping[SeriesKey, Rollup]) -> list[Stats]:
    if by is By.ERROR_CLASS:
        return _error_lines(reader, totals)
    if by is By.OUTCOME:
        return [line for rollup in totals.values() for line in _outcome_lines(rollup)]
    label = _LABELS[by]
    return [_line(label(key), rollup) for key, rollup in totals.items()]


_LABELS: Mapping[By, Callable[[SeriesKey], Stats]] = {
    By.EVENT_TYPE: lambda key: Stats(source=key.source or "", event_type=key.event_type or ""),
    By.ENDPOINT: lambda key: Stats(source=key.source or "", endpoint=key.endpoint or ""),
    By.SOURCE: lambda key: Stats(source=key.source or ""),
}


def _line(label: Stats, rollup: Rollup) -> Stats:
    return replace(
        label,
        total=sum(figures.outcomes(rollup).values()),
        succeeded=rollup.outcome(Outcome.SUCCEEDED),
        failed=figures.failures(rollup),
        dead_lettered=rollup.outcome(Outcome.DEAD_LETTERED),
        process_ms=rollup.distribution(Duration.PROCESS),
    )


def _error_lines(reader: FactReader, totals: Mapping[SeriesKey, Rollup]) -> list[Stats]:
    counts = [(key, code, n) for key, rollup in totals.items() for code, n in rollup.errors().items()]
    names = reader.error_names([code for _, code, _ in counts]) if counts else {}
    return [
        Stats(
            key.source or "", error_class=names.get(code, f"#{code}"), total=n, failed=n, dead_lettered=None
        )
        for key, code, n in counts
    ]


def _outcome_lines(rollup: Rollup) -> list[Stats]:
    return [
        Stats(
            outcome=outcome,
            total=n,
            succeeded=n if outcome is Outcome.SUCCEEDED else 0,
            failed=n if outcome in FAILURES else 0,
            dead_lettered=n if outcome is Outcome.DEAD_LETTERED else 0,
        )
        for outcome, n in figures.outcomes(rollup).items()
    ]


def _sum(one: Stats, other: Stats) -> Stats:
    """The same line in two series, such as one type at two endpoints."""
    return replace(
        one,
        total=one.total + other.total,
        succeeded=one.succeeded + other.succeeded,
        failed=one.failed + other.failed,
        dead_lettered=None if one.dead_lettered is None else one.dead_lettered + (other.dead_lettered or 0),
        process_ms=one.process_ms.merged(other.process_ms),
    )
