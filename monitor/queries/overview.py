"""The overview: one environment's figures, the stretch before for comparison, its course, each endpoint."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor import figures
from monitor.clock import from_us
from monitor.figures import Rate
from monitor.model import Grain, SeriesKey
from monitor.queries.stretch import Stretch, counted
from monitor.queries.summary import SHOWN, Chart, Summary, chart, top_errors
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint in the table. last_record_at: to the minute; None when it never had one."""

    key: SeriesKey
    now: Summary
    last_record_at: datetime | None

    @property
    def verification_failures(self) -> int:
        return figures.verification_failures(self.now.rollup)


@dataclass(frozen=True, slots=True)
class Overview:
    """`now` covers [start_at, end_at), `before` the equally long stretch before it.

    Both are widened to whole hours or days where finer counts are purged; rounded_to says it of `now`.
    ack_success is summed over the endpoints, as each source has its own expected statuses. endpoints: those
    with a record ever and those registered, by source and name. top_errors: (error class, failures).
    """

    environment: str
    start_at: datetime
    end_at: datetime
    now: Summary
    before: Summary
    ack_success: Rate
    chart: Chart
    endpoints: Sequence[EndpointRow]
    top_errors: Sequence[tuple[str, int]]
    rounded_to: Grain | None = None


def overview(
    reader: FactReader,
    environment: str,
    start_at: datetime,
    end_at: datetime,
    *,
    registered: Iterable[SeriesKey] = (),
    expected: Mapping[str, Collection[int]] | None = None,
    most_points: int = 120,
) -> Overview:
    """What happened in one environment in [start_at, end_at), both rounded up to the minute.

    registered: endpoints to show even when silent. expected: per source the statuses of a good ack. It is
    taken to end about now: `monitor.queries.stretch` says what that decides.
    """
    whole = SeriesKey(environment)
    keys = endpoint_keys(reader, environment, registered)
    stretch, now = counted(
        reader, start_at, end_at, end_at, lambda start, end: reader.total([whole, *keys], start, end, SHOWN)
    )
    before = _before(reader, whole, stretch)
    last = reader.last_seen(keys)
    good = expected or {}
    rows = [
        EndpointRow(
            key,
            Summary(now.get(key, Rollup()), good.get(key.source or "", ())),
            from_us(last[key]) if key in last else None,
        )
        for key in keys
    ]
    acks = [row.now.ack_success for row in rows]
    total = now.get(whole, Rollup())
    return Overview(
        environment,
        stretch.start_at,
        stretch.end_at,
        Summary(total),
        Summary(before),
        Rate(sum(ack.part for ack in acks), sum(ack.whole for ack in acks)),
        chart(reader, whole, start_at, end_at, most_points),
        rows,
        top_errors(reader, total),
        stretch.rounded_to,
    )


def _before(reader: FactReader, whole: SeriesKey, now: Stretch) -> Rollup:
    """The stretch before `now`, as long; where its last minutes are purged it ends with the hour before."""
    length = now.end_at - now.start_at
    for end_at in (now.start_at, now.start_at.replace(minute=0)):
        stretch, found = counted(
            reader,
            end_at - length,
            end_at,
            now.end_at,
            lambda start, end: reader.total([whole], start, end, SHOWN),
        )
        if stretch.end_at == end_at:
            break
    return found.get(whole, Rollup())


def endpoint_keys(
    reader: FactReader, environment: str, registered: Iterable[SeriesKey] = ()
) -> list[SeriesKey]:
    """Every endpoint of the environment that is known to the facts or registered, by source and name."""
    known = {key for key in reader.series(environment).values() if key.endpoint and not key.event_type}
    known |= {key for key in registered if key.environment == environment}
    return sorted(known, key=lambda key: (key.source or "", key.endpoint or ""))
