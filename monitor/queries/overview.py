"""The overview: one environment's figures, the stretch before for comparison, its course, each endpoint."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor import figures
from monitor.clock import from_us, to_us
from monitor.figures import Rate
from monitor.model import SeriesKey
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

    registered: endpoints to show even when silent. expected: per source the statuses of a good ack.
    """
    whole = SeriesKey(environment)
    keys = endpoint_keys(reader, environment, registered)
    start_us, end_us = to_us(start_at), to_us(end_at)
    now = reader.total([whole, *keys], start_us, end_us, SHOWN)
    before = reader.total([whole], 2 * start_us - end_us, start_us, SHOWN)
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
        start_at,
        end_at,
        Summary(total),
        Summary(before.get(whole, Rollup())),
        Rate(sum(ack.part for ack in acks), sum(ack.whole for ack in acks)),
        chart(reader, whole, start_at, end_at, most_points),
        rows,
        top_errors(reader, total),
    )


def endpoint_keys(
    reader: FactReader, environment: str, registered: Iterable[SeriesKey] = ()
) -> list[SeriesKey]:
    """Every endpoint of the environment that is known to the facts or registered, by source and name."""
    known = {key for key in reader.series(environment).values() if key.endpoint and not key.event_type}
    known |= {key for key in registered if key.environment == environment}
    return sorted(known, key=lambda key: (key.source or "", key.endpoint or ""))
