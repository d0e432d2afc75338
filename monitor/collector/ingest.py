"""What becomes of a body of records: decoded, judged, coded, packed, stored; the answer says it all.

Knows no HTTP. Every count of the answer is of records that are on disk, or of entries in `rejected`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import UNSET

from monitor.collector.accept import Judged, Terms, judged, without
from monitor.collector.columns import Columns
from monitor.collector.counters import REJECTION_CODES, Counters
from monitor.collector.decode import BodyDecoder
from monitor.collector.keys import Key
from monitor.collector.limits import Buckets, PerMinute
from monitor.collector.link import Writer
from monitor.collector.names import Coded, Names
from monitor.collector.pack import client_counts, packed
from monitor.collector.wire import Answer, RecordIn, RejectedPart, RejectedRecord
from monitor.errors import Unavailable
from monitor.seal import Sealer
from monitor.store.facts.protocol import Appended, Batch

ADDRESSES = 10
"""A source's rejections are stored in full up to the bound of so many addresses a minute."""


@dataclass(slots=True)
class _Asked:
    """What one body asks for, and nothing else of its records.

    batch: one or none; whoever takes it out of here is the last to hold it: its memory then serves the next
    request while this one waits for the disk. indexes: where the batch's records stood in the body.
    taken: how many records the key has paid for.
    """

    batch: list[Batch]
    indexes: Sequence[int]
    taken: int
    rejected: list[RejectedRecord]
    client_fault: RejectedPart | None
    counts: Mapping[tuple[str, str], int]


class Ingest:
    """The way of records through one front process; used by many threads."""

    def __init__(
        self,
        writer: Writer,
        sealer: Sealer,
        counters: Counters,
        buckets: Buckets,
        rejections: PerMinute,
        now_us: Callable[[], int],
        most: int,
    ) -> None:
        """most: records a request may hold."""
        self._writer = writer
        self._names = Names(writer)
        self._sealer = sealer
        self._counters = counters
        self._buckets = buckets
        self._rejections = rejections
        self._now_us = now_us
        self._most = most
        self._decoder = BodyDecoder(RecordIn)

    def take(self, body: bytes, media_type: str, key: Key) -> Answer:
        """Stores what the body holds and the key may write; returns once it is on disk.

        Raises BadRequest, TooLarge, TooManyRequests or Unavailable: then nothing was acknowledged.
        """
        asked = self._asked(body, media_type, key)
        rejected = asked.rejected
        accepted = duplicates = 0
        if asked.batch:
            stored = self._stored(asked, key)
            accepted, duplicates = stored.accepted, stored.duplicates
            rejected += [_entry(asked.indexes[i], *_TOO_OLD) for i in stored.too_old]
            rejected += [_entry(asked.indexes[i], *_UNSTORABLE) for i in stored.unstorable]
        rejected.sort(key=lambda entry: entry.index)
        self._count(accepted, duplicates, rejected, asked.counts)
        return Answer(accepted, duplicates, rejected, asked.client_fault or UNSET)

    def _stored(self, asked: "_Asked", key: Key) -> Appended:
        """What became of the batch; a key pays for none that the store did not take."""
        try:
            return self._writer.append(asked.batch.pop())
        except Unavailable:
            self._buckets.give_back(key.id, asked.taken)
            raise

    def _asked(self, body: bytes, media_type: str, key: Key) -> "_Asked":
        """What the body asks for, with nothing kept of the records but their batch."""
        decoded = self._decoder.decode(body, media_type, self._most)
        terms = Terms(self._now_us(), key.sources, key.environment)
        found = judged(decoded.items, decoded.indexes, terms)
        found, coded = self._coded(found)
        bare = self._bare(found.columns)
        batch = packed(found, coded, self._sealer, self._names.endpoint, bare)
        batch = replace(batch, client=client_counts(decoded.client, terms))
        counts = {
            ("body_bytes", ""): len(body),
            ("unknown_fields", ""): self._decoder.unknown_fields(body),
            ("capped_names", "event_type"): len(coded.capped_types),
            ("capped_names", "error_class"): len(coded.capped_errors),
            ("bare_rejections", ""): len(bare),
        }
        rejected = [*decoded.rejected, *found.rejected]
        batches = [batch] if batch.rows or batch.client else []
        self._buckets.take(key.id, len(decoded.items))
        return _Asked(batches, found.indexes, len(decoded.items), rejected, decoded.client_fault, counts)

    def _coded(self, found: Judged) -> tuple[Judged, Coded]:
        coded = self._names.coded(found.columns)
        while coded.refused:
            found = without(found, {place: ("", "name_cap", why) for place, why in coded.refused.items()})
            coded = self._names.coded(found.columns)
        return found, coded

    def _bare(self, columns: Columns) -> frozenset[int]:
        """Places of rejections over their bound a minute: stored, so that all counts stay exact, but bare.

        Not those of replays: control has to hear of each, and would not of one that was thinned.
        """
        if "rejected" not in columns.outcome:
            return frozenset()
        kinds = zip(columns.source, columns.reason, columns.remote_ip, strict=True)
        return frozenset(
            place
            for place, (kind, outcome, replay) in enumerate(
                zip(kinds, columns.outcome, columns.replay_id, strict=True)
            )
            if outcome == "rejected" and not replay and not self._is_in_full(kind)
        )

    def _is_in_full(self, kind: tuple[str, str | None, str | None]) -> bool:
        """Counts a rejection; whether its texts are kept. A source has a bound however many addresses."""
        return self._rejections.allows(kind) and self._rejections.allows(kind[0], ADDRESSES)

    def _count(
        self,
        accepted: int,
        duplicates: int,
        rejected: Sequence[RejectedRecord],
        others: Mapping[tuple[str, str], int],
    ) -> None:
        codes = Counter(entry.code for entry in rejected)
        self._counters.add(
            {
                ("records", "accepted"): accepted,
                ("records", "duplicate"): duplicates,
                ("records", "rejected"): len(rejected),
                **others,
                **{("rejected", code): codes[code] for code in REJECTION_CODES if code in codes},
            }
        )


_TOO_OLD = ("too_old", "older than what the store keeps, or of a flood of rejections that was summed up")
_UNSTORABLE = ("unstorable", "the store cannot hold this record as it is")


def _entry(index: int, code: str, detail: str) -> RejectedRecord:
    return RejectedRecord(index, "/record_id" if code == "too_old" else "", code, detail)
