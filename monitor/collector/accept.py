"""Which records of a request may be stored, and in what form: identity, times, what a rejection may say.

Pure: the time and the key's bounds come in as Terms. Most records need no change, so they are only looked
at once, all together; one that needs more is settled alone.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np

from monitor.clock import to_us
from monitor.collector.columns import Columns, Text, columns_of, is_blank, taken
from monitor.collector.wire import RecordIn, RejectedRecord, TypesIn
from monitor.model import REASON_CODES, UNVERIFIED, Reason
from monitor.sparse import Ints

FUTURE_US = 300_000_000
RECEIPT_BACK_US = 366 * 86_400_000_000
"""How long before its outcome a delivery may have been received: retries take weeks, not years."""
MESSAGE_CHARS = 4_096
STACK_CHARS = 16_384
USER_AGENT_CHARS = 512
KEY_CHARS = 64
LABEL_CHARS = 256

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DASHES = (8, 13, 18, 23)
_encode = msgspec.json.Encoder().encode
_changed = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Terms:
    """What the records of one request are judged by. sources: empty for all; environment: None for any."""

    now_us: int
    sources: frozenset[str] = frozenset()
    environment: str | None = None

    def may_write(self, said: TypesIn) -> bool:
        """Whether this is about a source and an environment of the key's."""
        mine = self.environment is None or said.environment == self.environment
        return mine and (not self.sources or said.source in self.sources)


@dataclass(frozen=True, slots=True)
class Judged:
    """The records to store, in the order sent; all sequences but `rejected` run in parallel.

    indexes: where each stood in the request. ids: 16 bytes a record. stamp_ms: the stamp of each id.
    """

    columns: Columns
    indexes: Sequence[int]
    ids: bytes
    stamp_ms: Ints
    received_us: list[int]
    rejected: Sequence[RejectedRecord]


class _Refused(Exception):
    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer, self.code, self.detail = pointer, code, detail


def judged(records: Sequence[RecordIn], indexes: Sequence[int], terms: Terms) -> Judged:
    """The records that may be stored, made ready, and the others with the reason."""
    rejected: list[RejectedRecord] = []
    columns = columns_of(records)
    kept = list(zip(records, indexes, strict=True))
    if _is_foreign(columns, terms) or _some_need_settling(columns):
        kept = [
            (settled, index)
            for record, index in kept
            if (settled := _settled_or_noted(record, index, terms, rejected)) is not None
        ]
        columns = columns_of([record for record, _ in kept])
    timed = _timed(columns, terms)
    if timed is None:  # some id or time is wrong: find which
        kept = [(record, index) for record, index in kept if not _noted(record, index, terms, rejected)]
        columns = columns_of([record for record, _ in kept])
        timed = _timed(columns, terms)
        assert timed is not None
    ids, stamp_ms, received_us = timed
    rejected.sort(key=lambda entry: entry.index)
    return Judged(columns, [index for _, index in kept], ids, stamp_ms, received_us, rejected)


def without(found: Judged, faults: Mapping[int, tuple[str, str, str]]) -> Judged:
    """The same without the records at these places, whose (pointer, code, detail) join the rejected."""
    places = [place for place in range(len(found.indexes)) if place not in faults]
    rejected = [RejectedRecord(found.indexes[place], *fault) for place, fault in faults.items()]
    return Judged(
        taken(found.columns, places),
        [found.indexes[place] for place in places],
        b"".join(found.ids[16 * place : 16 * place + 16] for place in places),
        found.stamp_ms[places],
        [found.received_us[place] for place in places],
        [*found.rejected, *rejected],
    )


def _is_foreign(columns: Columns, terms: Terms) -> bool:
    """Whether some record names a source or an environment that is not the key's."""
    if terms.sources and not set(columns.source) <= terms.sources:
        return True
    return terms.environment is not None and set(columns.environment) != {terms.environment}


def _some_need_settling(c: Columns) -> bool:
    """Whether some record cannot be stored just as it came."""
    return (
        None in c.record_id
        or None in c.event_id
        or None in c.event_type
        or "rejected" in c.outcome
        or not is_blank(c.reason)
        or (None in c.http_status and _ack_without_status(c))
        or _longest(c.error_message) > MESSAGE_CHARS
        or _longest(c.error_stack) > STACK_CHARS
        or _longest(c.user_agent) > USER_AGENT_CHARS
        or not all(map(_is_short, filter(None, c.labels)))
    )


def _ack_without_status(c: Columns) -> bool:
    return any(
        status is None and ack is not None for status, ack in zip(c.http_status, c.ack_ms, strict=True)
    )


def _longest(column: Text) -> int:
    return max(map(len, filter(None, column)), default=0)


def _is_short(labels: Mapping[str, str]) -> bool:
    return all(len(key) <= KEY_CHARS and len(value) <= LABEL_CHARS for key, value in labels.items())


def _settled_or_noted(
    record: RecordIn, index: int, terms: Terms, rejected: list[RejectedRecord]
) -> RecordIn | None:
    try:
        _check(record, terms)
        return _settled(record, terms)
    except _Refused as exc:
        rejected.append(RejectedRecord(index, exc.pointer, exc.code, exc.detail))
        return None


def _check(record: RecordIn, terms: Terms) -> None:
    """Raises _Refused for a record that is someone else's or lacks what its outcome needs."""
    if terms.sources and record.source not in terms.sources:
        raise _Refused("/source", "foreign_source", f"this key may not write for source {record.source}")
    if terms.environment is not None and record.environment != terms.environment:
        raise _Refused("/environment", "foreign_environment", f"this key writes to {terms.environment} only")
    if record.ack_ms is not None and record.http_status is None:
        raise _Refused("/http_status", "ack_without_status", "ack_ms is of an answer: give its http_status")
    if record.outcome != "rejected":
        if record.event_id is None:
            raise _Refused("/event_id", "missing_event_id", "only a rejection may leave event_id out")
        if record.event_type is None:
            raise _Refused("/event_type", "missing_event_type", "only a rejection may leave event_type out")


def _settled(record: RecordIn, terms: Terms) -> RecordIn:
    """The record in the form it is stored. Raises _Refused when no id can be derived."""
    bounded = _changed(
        record,
        record_id=record.record_id or derived_id(record, terms.now_us),
        reason=None,
        error_message=_cut(record.error_message, MESSAGE_CHARS),
        error_stack=_cut(record.error_stack, STACK_CHARS),
        user_agent=_cut(record.user_agent, USER_AGENT_CHARS),
        labels=_bounded(record.labels),
    )
    if record.outcome != "rejected":
        return bounded
    # Its body was not verified: nothing taken from it becomes a name, and none of it is kept.
    return _changed(
        bounded,
        event_id=None,
        event_type=UNVERIFIED,
        reason=record.reason if record.reason in REASON_CODES else Reason.OTHER.value,
        event_created_at=None,
        resource=None,
        version=None,
        capture=None,
    )


def derived_id(record: RecordIn, now_us: int) -> str:
    """The id of a record that came without one: the same each time the same record is sent.

    A UUIDv7 whose stamp is recorded_at (default: received_at + latency_ms) and whose other bits are the head
    of SHA-256 over what names the outcome. Raises _Refused for a time no id can hold.
    """
    received_us = _us(record.received_at)
    if record.recorded_at is not None:
        at_us = _us(record.recorded_at)
    else:
        at_us = received_us + round((record.latency_ms or 0) * 1000)
    if not 0 <= at_us <= now_us + FUTURE_US:
        pointer = "/recorded_at" if record.recorded_at is not None else "/received_at"
        raise _Refused(pointer, *_wrong_time(at_us, now_us))
    named = (
        record.source,
        record.environment,
        record.endpoint,
        record.event_id,
        record.attempt,
        record.outcome,
        record.receiver,
        received_us,
    )
    tail = int.from_bytes(hashlib.sha256(_encode(named)).digest()[:10], "big")
    number = (at_us // 1000) << 80 | 7 << 76 | (tail >> 68) << 64 | 2 << 62 | tail & ((1 << 62) - 1)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _timed(columns: Columns, terms: Terms) -> tuple[bytes, Ints, list[int]] | None:
    """(ids, their stamps, received_at in microseconds), all at once; None when any of them is wrong."""
    ids = _bytes_of(columns.record_id)
    if ids is None:
        return None
    halves = np.frombuffer(ids, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    if ((halves[:, 0] >> 12 & 0xF) != 7).any() or (halves[:, 1] >> 62 != 2).any():
        return None
    stamp_ms = (halves[:, 0] >> 16).astype(np.int64)
    received_us = [at if isinstance(at, int) else to_us(at) for at in columns.received_at]
    latest_us = terms.now_us + FUTURE_US
    if received_us and (
        int(stamp_ms.max()) * 1000 > latest_us or min(received_us) < 0 or max(received_us) > latest_us
    ):
        return None
    taken_us = stamp_ms * 1000 - np.array(received_us, dtype=np.int64)
    if (taken_us < -FUTURE_US).any() or (taken_us > RECEIPT_BACK_US).any():
        return None
    return ids, stamp_ms, received_us


def _bytes_of(ids: Text) -> bytes | None:
    """16 bytes an id, one after the other; None unless every one is written as a UUID."""
    if not ids:
        return b""
    given = [record_id or "" for record_id in ids]
    if set(map(len, given)) != {36}:
        return None
    text = "".join(given)
    if any(text[place::36] != "-" * len(ids) for place in _DASHES):
        return None
    try:
        packed = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    return packed if len(packed) == 16 * len(ids) else None  # it takes blanks for nothing


def _noted(record: RecordIn, index: int, terms: Terms, rejected: list[RejectedRecord]) -> bool:
    """Whether the record's id or time is wrong; then it stands in `rejected`."""
    found = _fault(record, terms)
    if found:
        rejected.append(RejectedRecord(index, *found))
    return found is not None


def _fault(record: RecordIn, terms: Terms) -> tuple[str, str, str] | None:
    received_us = _us(record.received_at)
    if not 0 <= received_us <= terms.now_us + FUTURE_US:
        return ("/received_at", *_wrong_time(received_us, terms.now_us))
    text = record.record_id or ""
    if not _UUID.fullmatch(text):
        return ("/record_id", "invalid", "record_id is not written as a UUID")
    number = int(text.replace("-", ""), 16)
    if number >> 76 & 0xF != 7 or number >> 62 & 3 != 2:
        return ("/record_id", "record_id_not_v7", "record_id is a UUID of another version than 7")
    at_us = (number >> 80) * 1000
    if at_us > terms.now_us + FUTURE_US:
        return ("/record_id", *_wrong_time(at_us, terms.now_us))
    if not -FUTURE_US <= at_us - received_us <= RECEIPT_BACK_US:
        apart_s = (at_us - received_us) // 1_000_000
        words = f"the record's own time is {apart_s} s after its receipt; -300 s to 366 days are allowed"
        return ("/received_at", "received_at_far", words)
    return None


def _wrong_time(at_us: int, now_us: int) -> tuple[str, str]:
    if at_us < 0:
        return "invalid", "the time is before 1970: integers are microseconds"
    ahead_s = (at_us - now_us) // 1_000_000
    return "in_future", f"the time is {ahead_s} s ahead of the collector's clock; 300 are allowed"


def _us(time: datetime | int) -> int:
    return time if isinstance(time, int) else to_us(time)


def _cut(text: str | None, chars: int) -> str | None:
    return text if text is None else text[:chars]


def _bounded(labels: Mapping[str, str] | None) -> dict[str, str] | None:
    return {key[:KEY_CHARS]: value[:LABEL_CHARS] for key, value in labels.items()} if labels else None
