"""The monitor's own health as the facts tell it: heartbeat, store, clients, and events that are stuck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import from_us, to_us
from monitor.model import SeriesKey
from monitor.store.facts.protocol import ClientCounts, FactReader

CLIENTS_BACK = timedelta(days=1)
STUCK_AFTER = timedelta(minutes=15)
STUCK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Client:
    """One SDK instance since its start. dropped: records given up, per reason; skew: our clock less its own.

    accepted: records stored of what it sent; duplicates: those that were known, as after a lost answer.
    """

    name: str
    version: str
    instance: str
    started_at: datetime
    seen_at: datetime
    skew: timedelta | None
    produced: int
    spooled: int
    dropped: Mapping[str, int]
    state: Mapping[str, object]
    accepted: int
    duplicates: int

    @property
    def missing(self) -> int:
        """Records of which nobody says what became of them; 0 when produced = stored + spooled + dropped.

        Counts are as of its last report: what was rejected of the very batch that brought it stands here
        until the next one says that it was dropped.
        """
        return self.produced - self.accepted - self.spooled - sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class Health:
    """heartbeat_at: None when no collector ever beat. floor_at: nothing older is kept; None: no purge yet."""

    store_id: str
    heartbeat_at: datetime | None
    heartbeat_age: timedelta | None
    floor_at: datetime | None
    used_bytes: int
    clients: Sequence[Client]


def health(reader: FactReader, now: datetime) -> Health:
    beat_us, floor_us = reader.heartbeat_us(), reader.floor_us()
    beat_at = None if beat_us is None else from_us(beat_us)
    return Health(
        reader.store_id(),
        beat_at,
        None if beat_at is None else now - beat_at,
        from_us(floor_us) if floor_us else None,
        reader.used_bytes(),
        clients(reader, now),
    )


def clients(reader: FactReader, now: datetime, back: timedelta = CLIENTS_BACK) -> Sequence[Client]:
    """SDK instances heard of within so long, by name and instance."""
    return [_client(counts) for counts in reader.clients(to_us(now - back))]


def stuck(
    reader: FactReader, environment: str, now: datetime, *, after: timedelta = STUCK_AFTER
) -> Mapping[SeriesKey, int]:
    """Per endpoint the deliveries accepted within a day and longer than `after` ago that never ended."""
    return reader.stuck(environment, to_us(now - after), to_us(now - STUCK_BACK))


def _client(counts: ClientCounts) -> Client:
    return Client(
        counts.name,
        counts.version,
        counts.instance,
        from_us(counts.started_at_us),
        from_us(counts.seen_at_us),
        None if counts.skew_us is None else timedelta(microseconds=counts.skew_us),
        counts.produced,
        counts.spooled,
        counts.dropped,
        counts.state,
        counts.accepted,
        counts.duplicates,
    )
