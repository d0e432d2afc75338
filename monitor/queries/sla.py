"""What a weekly report is made of: totals between the local midnights of a week, and the probes in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.clock import to_us
from monitor.errors import Unprocessable
from monitor.model import ProbeKind, ProbeResult, SeriesKey
from monitor.queries.overview import endpoint_keys
from monitor.queries.stretch import Stretch, counted
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader

_WEEK = re.compile(r"(\d{4})-W(\d{2})")


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """totals: per source and per endpoint; series without a record are left out. probes: HTTP, oldest first.

    end_at may lie ahead of the present: then the week is not over. counted: what the totals cover; wider than
    the week where a midnight of the zone falls within an hour or day whose minutes or hours are purged.
    """

    week: str
    zone: str
    environment: str
    start_at: datetime
    end_at: datetime
    totals: Mapping[SeriesKey, Rollup]
    probes: Sequence[ProbeResult]
    counted: Stretch


def week_bounds(week: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The UTC times of the local midnights that begin and end an ISO week such as `2026-W47`.

    A week with a change of the clocks has 167 or 169 hours. Raises Unprocessable for anything else.
    """
    match = _WEEK.fullmatch(week)
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        monday = None
    if monday is None:
        raise Unprocessable(f"{week!r} is not a week", "write an ISO week, for instance 2026-W47")
    ends = (datetime.combine(day, time.min, zone) for day in (monday, monday + timedelta(days=7)))
    start_at, end_at = (moment.astimezone(UTC) for moment in ends)
    return start_at, end_at


def week_before(now: datetime, zone: ZoneInfo) -> str:
    """The last whole ISO week before `now`, as `2026-W47`."""
    year, week, _ = (now.astimezone(zone).date() - timedelta(days=7)).isocalendar()
    return f"{year}-W{week:02d}"


def week_facts(
    reader: FactReader,
    week: str,
    zone: ZoneInfo,
    environment: str = "production",
    *,
    now: datetime | None = None,
) -> WeekFacts:
    """All of one environment in one local week, from hour and day rollups. now: left out, it ends now."""
    start_at, end_at = week_bounds(week, zone)
    endpoints = endpoint_keys(reader, environment)
    sources = {key.parent for key in endpoints if key.parent is not None}
    start_us, end_us = to_us(start_at), to_us(end_at)
    probes = [
        result
        for result in reader.probe_results(ProbeKind.HTTP, start_us, end_us)
        if result.environment == environment
    ]
    stretch, totals = counted(
        reader,
        start_at,
        end_at,
        now or end_at,
        lambda start, end: reader.total([*sources, *endpoints], start, end),
    )
    return WeekFacts(week, zone.key, environment, start_at, end_at, totals, probes, stretch)
