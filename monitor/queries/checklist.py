"""What endpoints have to show for the checklists: their traffic, their probes, what was seen of their
senders, and whether alerts arrive. Read only."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from alerts.model import Delivery, Target, Terms
from alerts.sightings import Aspect
from monitor import figures
from monitor.checklist import FRESH, LOOKED_BACK, Days, Rush, Shown, Told
from monitor.clock import from_us, to_us
from monitor.model import Duration, Grain, ProbeKind, ProbeResult, SeriesKey
from monitor.queries.windows import PROBES_BACK, StoredObservations
from monitor.rollup import Rollup
from monitor.store.control import Control
from monitor.store.control.sightings import MOST, SightingFilter
from monitor.store.facts.protocol import COUNTED, FactReader, Parts

WEEK, HOUR_US = timedelta(days=7), 3_600_000_000
RECENT = timedelta(minutes=15)
TIMED = Parts((Duration.ACK,), exemplars=False)


class StoredEvidence:
    """What endpoints have to show as of `now`.

    channels: the names of those that alerts go to. What is the same for all endpoints is read once, when the
    first of them asks for it.
    """

    def __init__(
        self, reader: FactReader, control: Control, channels: Collection[str], now: datetime
    ) -> None:
        self._reader = reader
        self._control = control
        self._channels = channels
        self._now = now
        self._observed = StoredObservations(reader, now)

    def shown(self, place: SeriesKey, terms: Terms) -> Shown:
        """place: without a type."""
        reader, control, now = self._reader, self._control, self._now
        endpoint = control.catalog.endpoint(place.environment, place.source or "", place.endpoint or "")
        target = Target(place.environment, place.source, place.endpoint)
        places = [place, *_elsewhere(self._series, place)]
        days = _days(reader, places, now)
        return Shown(
            now=now,
            url=endpoint.url if endpoint else None,
            terms=terms,
            week=reader.total([place], to_us(now - WEEK), to_us(now)).get(place) or Rollup(),
            days=days.get(place, {}),
            probes=self._probes.get(place, {}),
            sightings=[one for _, one in control.sightings.page(_all_of(place), MOST * len(Aspect))],
            repeats=self._observed.repeats(target, now - RECENT, now),
            elsewhere={key.environment: found for key, found in days.items() if key != place},
            rushes=list(_rushes(reader, places, now)),
            channels=self._told,
        )

    @cached_property
    def _series(self) -> Collection[SeriesKey]:
        return self._reader.series().values()

    @cached_property
    def _probes(self) -> Mapping[SeriesKey, Mapping[ProbeKind, ProbeResult]]:
        """The latest of each kind."""
        found: dict[SeriesKey, dict[ProbeKind, ProbeResult]] = {}
        until_us = to_us(self._now) + 1
        for kind, back in PROBES_BACK.items():
            stored = ProbeKind(kind.value)
            for one in self._reader.probe_results(stored, to_us(self._now - back), until_us):  # oldest first
                found.setdefault(SeriesKey(one.environment, one.source, one.endpoint), {})[stored] = one
        return found

    @cached_property
    def _told(self) -> Mapping[str, Told | None]:
        """By alert, drill or test, whichever was last."""
        return {name: _last_told(self._control, name, self._now) for name in self._channels}


def _all_of(place: SeriesKey) -> SightingFilter:
    return SightingFilter(place.environment, place.source, place.endpoint)


def _elsewhere(known: Collection[SeriesKey], place: SeriesKey) -> Sequence[SeriesKey]:
    """The same endpoint in other environments."""
    return [
        key
        for key in known
        if key.environment != place.environment
        and (key.source, key.endpoint, key.event_type) == (place.source, place.endpoint, None)
    ]


def _days(reader: FactReader, places: Sequence[SeriesKey], now: datetime) -> Mapping[SeriesKey, Days]:
    kept = reader.rollups(places, Grain.DAY, to_us(now - LOOKED_BACK), to_us(now), parts=COUNTED)
    return {key: {from_us(at_us): one for at_us, one in days.items()} for key, days in kept.items()}


def _rushes(reader: FactReader, places: Sequence[SeriesKey], now: datetime) -> Iterator[Rush]:
    """Of the first of the places, and of the others under the names of their environments."""
    kept = reader.rollups(places, Grain.HOUR, to_us(now - FRESH), to_us(now), parts=COUNTED)
    for key, hours in kept.items():
        at_us = max(hours, key=lambda each: (figures.deliveries(hours[each]), each))
        until_us = at_us + HOUR_US
        minutes = reader.rollups([key], Grain.MINUTE, at_us, until_us, parts=COUNTED).get(key, {})
        a_minute = max(map(figures.deliveries, minutes.values()), default=0)
        a_minute = max(a_minute, figures.deliveries(hours[at_us]) // 60)  # its minutes may be purged
        hour = reader.total([key], at_us, until_us, TIMED).get(key) or Rollup()
        other = None if key == places[0] else key.environment
        yield Rush(from_us(at_us), a_minute, hour.distribution(Duration.ACK), other)


def _last_told(control: Control, channel: str, now: datetime) -> Told | None:
    settled = control.notifications.last_settled(channel, now - LOOKED_BACK)
    tested_at = control.audit.last_at("channel.test", channel)
    if settled is None or settled.settled_at is None:
        return None if tested_at is None else Told(tested_at, took=True)
    if tested_at is not None and tested_at > settled.settled_at:
        return Told(tested_at, took=True)
    return Told(settled.settled_at, settled.delivery is Delivery.DELIVERED, settled.error)
