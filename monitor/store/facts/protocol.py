"""What a facts store does, whatever the database behind it. One conformance suite holds every implementation.

Times are integer microseconds since 1970 UTC. Reads of one call see one snapshot. Nothing here knows
HTTP, keys or people.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from monitor.model import Duration, Grain, Outcome, ProbeKind, ProbeResult, QueueSample, Record, SeriesKey
from monitor.rollup import Deltas, Rollup
from monitor.store.facts.expunging import Expunge, Expunged


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """A sealed capture of the record at `index` of its batch."""

    index: int
    endpoint: int
    event_id: str
    redacted: bool
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ClientCounts:
    """What one SDK instance says of itself; `state` holds breakers, inbox, memory and CPU as given.

    accepted: records stored of what it sent, in all; duplicates: those that were known. Written, they are of
    the one batch that carries them.
    """

    name: str
    version: str
    instance: str
    started_at_us: int
    seen_at_us: int
    skew_us: int | None
    produced: int
    spooled: int
    dropped: Mapping[str, int]
    state: Mapping[str, object]
    accepted: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """One request's records, coded and packed by the front; all sequences run in parallel.

    rows: (record_id, route, outcome, received_at_us, http_status, process_us, error, event_hash, detail),
    event_hash being crc32(event_id) or None. fed: indexes that belong in the feed, those together that one
    row stands for, which names the last. bare: indexes of the rejections that are stored without their
    texts, to be thinned.
    """

    rows: Sequence[tuple[object, ...]]
    deltas: Deltas
    captures: Sequence[CaptureRow] = ()
    fed: Sequence[tuple[int, ...]] = ()
    client: ClientCounts | None = None
    bare: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Appended:
    """Of one batch: how many were inserted, how many were known, and the indexes of the others.

    too_old: the floor refused them, or rejections of their route and minute were thinned. unstorable: the
    store could not hold them as they are.
    """

    accepted: int
    duplicates: int
    too_old: Sequence[int] = ()
    unstorable: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One record that control must hear of, in commit order. records: how many it stands for, itself too."""

    xid: int
    seq: int
    records: int
    record: Record
    sealed_capture: bytes | None
    capture_redacted: bool


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records a page shows; empty parts match all. Times are record times, `until_us` exclusive."""

    environment: str | None = None
    source: str | None = None
    endpoint: str | None = None
    event_type: str | None = None
    outcomes: Sequence[Outcome] = ()
    error_class: str | None = None
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records, newest first. `next_before` continues the page; None at the end.

    A page may be shorter than its limit, or empty, when the bound on rows scanned was met first.
    """

    records: Sequence[Record]
    next_before: UUID | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What of rollups to read beside their counts and extremes: less is faster."""

    durations: Collection[Duration] = tuple(Duration)
    exemplars: bool = True


WHOLE, COUNTED = Parts(), Parts((), exemplars=False)


class FactReader(Protocol):
    """Reading, from any process and many at once; never waits for the writer."""

    def store_id(self) -> str: ...

    def floor_us(self) -> int: ...

    def series(self, environment: str | None = None) -> Mapping[int, SeriesKey]:
        """Every known series by code: a full list, small because names are capped."""

    def error_names(self, codes: Sequence[int]) -> Mapping[int, str]: ...

    def rollups(
        self,
        keys: Sequence[SeriesKey],
        grain: Grain,
        start_us: int,
        end_us: int,
        every: int = 1,
        parts: Parts = WHOLE,
    ) -> Mapping[SeriesKey, Mapping[int, Rollup]]:
        """Per series: bucket start (us) → Rollup, with the unfolded deltas added, in one snapshot.

        Buckets that start in [start_us, end_us), `every` of them merged into one, which then starts at a
        multiple of its width since 1970. Series and buckets without a record are left out.
        """

    def total(
        self, keys: Sequence[SeriesKey], start_us: int, end_us: int, parts: Parts = WHOLE
    ) -> Mapping[SeriesKey, Rollup]:
        """Per series one Rollup of [start_us, end_us), both rounded up to the minute:
        a stretch that ends now holds the minute that is running.

        Reads the widest grains that fit. Series without a record are left out.
        """

    def ever(self, keys: Sequence[SeriesKey], parts: Parts = WHOLE) -> Mapping[SeriesKey, Rollup]:
        """Per series everything since the store was made, purged or not; never falls."""

    def first_seen(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        """Per series when it was stored first (us), by the collector's clock; unknown ones are left out."""

    def last_seen(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        """Per series the newest minute (us) with a record; series without one are left out."""

    def recount(self, start_us: int, end_us: int) -> Mapping[tuple[SeriesKey, int], Rollup]:
        """Minute rollups of every series, counted again from the stored records and what was thinned."""

    def recorded(self, start_us: int, end_us: int) -> Mapping[tuple[SeriesKey, int], Rollup]:
        """The same of the records of [start_us, end_us) by their own time alone, read by their key.

        Places outside the range are in it too: they hold what was received then, and no more.
        """

    def page(self, wanted: RecordFilter, limit: int, before: UUID | None = None) -> RecordPage: ...

    def get(self, record_id: UUID) -> Record | None: ...

    def event(self, environment: str | None, source: str, event_id: str) -> Sequence[Record]:
        """Every record of one event, oldest first; environment None looks in all."""

    def capture(
        self, environment: str, source: str, endpoint: str, event_id: str
    ) -> tuple[bytes, bool] | None:
        """(sealed, redacted) of an event at an endpoint."""

    def feed(self, xid: int, seq: int, limit: int) -> Sequence[FeedRow]:
        """Rows after the mark (xid, seq) that no open transaction can still precede, in order."""

    def queue_samples(self, start_us: int, end_us: int) -> Sequence[QueueSample]:
        """All samples in the range, oldest first."""

    def latest_queue_samples(self, not_before_us: int) -> Sequence[QueueSample]:
        """The newest sample of each queue, if it is not older than the bound."""

    def probe_results(self, kind: ProbeKind, start_us: int, end_us: int) -> Sequence[ProbeResult]:
        """All results in the range, oldest first."""

    def probe_counts(self, key: SeriesKey, kind: ProbeKind, start_us: int, end_us: int) -> tuple[int, int]:
        """(ok, all) of one endpoint's results in the range."""

    def heartbeat_us(self, before_us: int | None = None) -> int | None:
        """When a collector last stored a heartbeat; as it was at a time, with before_us."""

    def clients(self, not_before_us: int) -> Sequence[ClientCounts]: ...

    def stuck(self, environment: str, before_us: int, since_us: int) -> Mapping[SeriesKey, int]:
        """Accepted deliveries received in [since_us, before_us) with no final record yet, per endpoint."""

    def used_bytes(self) -> int: ...

    def close(self) -> None: ...


class FactWriter(Protocol):
    """Writing: on SQLite the one writer process, on PostgreSQL every collector."""

    def intern_series(self, keys: Sequence[SeriesKey], now_us: int) -> Mapping[SeriesKey, int]:
        """Codes of these series and their ancestors, made in a short transaction of their own if new.

        A type over the cap of its source gets the code of its endpoint's `__other__`, and that key is added
        to the answer. A 17th environment, or a source or endpoint too many, raises TooLarge: nothing is made.
        """

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        """Codes of (endpoint code, error class); over the cap that of (endpoint code, `__other__`), added."""

    def append(self, batches: Sequence[Batch]) -> Sequence[Appended]:
        """All batches in one transaction, on disk when this returns; one answer a batch.

        Raises StoreFull when the disk is full, Unavailable when the store cannot take it now.
        """

    def append_queues(self, samples: Sequence[tuple[int, str, int, int, int | None]]) -> int:
        """Rows (endpoint code, queue, sampled_at_us, depth, oldest_age_us); returns how many were new."""

    def append_probes(self, results: Sequence[tuple[object, ...]]) -> int:
        """Rows in the column order of probe_result; returns how many were new."""

    def heartbeat(self, collector: str, now_us: int) -> None: ...

    def fold(self) -> int:
        """Takes the deltas there are into the rollups, in one transaction; returns how many items."""

    def merge_events(self) -> bool:
        """One bounded step of keeping event lookups fast; True while another should follow at once."""

    def thin(self, now_us: int, rows: int) -> bool:
        """Looks at `rows` rejections of a minute that is due: what the bare ones counted is kept in `thinned`
        and they are deleted, in one transaction (thinning.py). True when another step should follow."""

    def expunge(self, wanted: Expunge) -> Expunged:
        """Removes the sealed captures of an event, and its records' texts when asked; counts stay."""

    def raise_floor(self, floor_us: int, rows: int) -> bool:
        """Raises the floor and deletes at most `rows` records below it; True while more remain."""

    def prune(self) -> None:
        """Deletes what else is past its time: feed rows, samples, heartbeats, minutes below the floor."""

    def oldest_us(self, skip: int) -> int | None:
        """The time of the oldest record but `skip`; None when there are not so many."""

    @property
    def floor_us(self) -> int:
        """The record time below which nothing is stored or accepted."""

    def used_bytes(self) -> int: ...

    def close(self) -> None: ...


def pages(reader: FactReader, wanted: RecordFilter, limit: int) -> Iterator[Record]:
    """Every matching record, newest first, a page at a time."""
    before: UUID | None = None
    while True:
        page = reader.page(wanted, limit, before)
        yield from page.records
        if page.next_before is None:
            return
        before = page.next_before
