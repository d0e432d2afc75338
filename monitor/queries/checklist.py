"""What one endpoint has to show for the checklists: a week of it, its probes, what was seen of its sender."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerts.model import Target, Terms
from monitor import figures
from monitor.checklist import Shown
from monitor.clock import to_us
from monitor.model import Grain, Outcome, ProbeKind, ProbeResult, SeriesKey
from monitor.queries.windows import PROBES_BACK, StoredObservations
from monitor.rollup import Rollup
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader, Parts

WEEK, DAY = timedelta(days=7), timedelta(days=1)
RECENT = timedelta(minutes=15)
COUNTED = Parts((), exemplars=False)


def shown(
    reader: FactReader,
    control: Control,
    place: SeriesKey,
    terms: Terms,
    channels: Sequence[str],
    now: datetime,
) -> Shown:
    """As of now."""
    endpoint = control.catalog.endpoint(place.environment, place.source or "", place.endpoint or "")
    target = Target(place.environment, place.source, place.endpoint)
    week = reader.total([place], to_us(now - WEEK), to_us(now)).get(place) or Rollup()
    return Shown(
        now=now,
        url=endpoint.url if endpoint else None,
        terms=terms,
        week=week,
        probes=_probes(reader, place, now),
        sightings=control.sightings.all().get(place, ()),
        repeats=StoredObservations(reader, now).repeats(target, now - RECENT, now),
        peak=_peak(reader, place, now),
        elsewhere=_elsewhere(reader, place),
        channels=channels,
    )


def _probes(reader: FactReader, place: SeriesKey, now: datetime) -> Mapping[ProbeKind, ProbeResult]:
    found: dict[ProbeKind, ProbeResult] = {}
    for kind, back in PROBES_BACK.items():
        stored = ProbeKind(kind.value)
        for result in reader.probe_results(stored, to_us(now - back), to_us(now) + 1):  # oldest first
            if (result.environment, result.source, result.endpoint) == _parts(place):
                found[stored] = result
    return found


def _peak(reader: FactReader, place: SeriesKey, now: datetime) -> int:
    minutes = reader.rollups([place], Grain.MINUTE, to_us(now - DAY), to_us(now), parts=COUNTED)
    return max((figures.deliveries(one) for one in minutes.get(place, {}).values()), default=0)


def _elsewhere(reader: FactReader, place: SeriesKey) -> Mapping[str, int]:
    others = [
        key
        for key in reader.series().values()
        if key.environment != place.environment
        and (key.source, key.endpoint, key.event_type) == (place.source, place.endpoint, None)
    ]
    ever = reader.ever(others, COUNTED)
    return {key.environment: sum(one.outcome(each) for each in Outcome) for key, one in ever.items()}


def _parts(key: SeriesKey) -> tuple[str, str | None, str | None]:
    return key.environment, key.source, key.endpoint
