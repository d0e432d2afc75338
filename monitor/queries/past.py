"""What the rules looked at in the past: Observations as of a minute that is over, for rules tried on history.

Counts are those that are stored now: a record that came late is in them, although no rule saw it then. What
is stored no more, or only as it stands now, is not made up: `alerts.rules.kind.Kind.retold` says whose kinds
need it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from alerts.issues import Issue
from alerts.model import QueueSample, Target, Terms
from monitor.clock import from_us, to_us
from monitor.model import UNVERIFIED, Grain, SeriesKey
from monitor.queries.windows import QUEUES_BACK, StoredObservations
from monitor.store.facts.protocol import COUNTED, FactReader

MINUTE = timedelta(minutes=1)
SEEN_BACK = timedelta(days=8)
"""How far back the last event of an endpoint is looked for: a week of silence is no news any more."""


class PastObservations(StoredObservations):
    """Observations as of `now`, a whole minute. last_events: of every endpoint and type, up to `now`."""

    def __init__(
        self,
        reader: FactReader,
        now: datetime,
        registered: Iterable[SeriesKey],
        terms: Mapping[SeriesKey, Terms],
        last_events: Mapping[SeriesKey, datetime],
    ) -> None:
        super().__init__(reader, now, registered, terms)
        self._known_last = last_events

    def last_heartbeat_at(self) -> datetime | None:
        """Heartbeats are kept for weeks; before the oldest of them somebody is taken to have seen."""
        beat = self._reader.heartbeat_us(to_us(self._now) + 1)
        return self._now if beat is None else from_us(beat)

    def last_event_at(self, target: Target) -> datetime | None:
        key = SeriesKey(target.environment, target.source, target.endpoint, target.event_type)
        return self._known_last.get(key)

    def queues(self, target: Target) -> Sequence[QueueSample]:
        if self._samples is None:
            stretch = to_us(self._now - QUEUES_BACK), to_us(self._now) + 1
            newest = {
                (one.environment, one.source, one.endpoint, one.queue): one
                for one in self._reader.queue_samples(*stretch)
            }
            self._samples = list(newest.values())
        return super().queues(target)

    def issues(self, target: Target, since: datetime) -> Sequence[Issue]:
        return ()


class Past:
    """Observations of one minute after the other, forwards."""

    def __init__(self, reader: FactReader, terms: Mapping[SeriesKey, Terms], start_at: datetime) -> None:
        self._reader, self._terms = reader, terms
        self._read_until = start_at
        self._last: dict[SeriesKey, datetime] = {}
        self._note(Grain.HOUR, start_at - SEEN_BACK, start_at)

    def at(self, now: datetime) -> PastObservations:
        """As of a whole minute, not before the one asked for last."""
        if now > self._read_until:
            self._note(Grain.MINUTE, self._read_until, now)
            self._read_until = now
        return PastObservations(self._reader, now, self._terms, self._terms, self._last)

    def _note(self, grain: Grain, start_at: datetime, end_at: datetime) -> None:
        """Of the hours before the start only the beginning is known: close enough for what is long ago."""
        keys = [key for key in self._reader.series().values() if key.event_type not in (None, UNVERIFIED)]
        found = self._reader.rollups(keys, grain, to_us(start_at), to_us(end_at), parts=COUNTED)
        for key, buckets in found.items():
            for one in (key, key.parent):
                if buckets and one is not None:
                    latest = from_us(max(buckets))
                    self._last[one] = max(latest, self._last.get(one, latest))
