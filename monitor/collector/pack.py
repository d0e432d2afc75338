"""Judged records into the rows, details and deltas that the store appends: column by column, for speed.

Pure but for the randomness of sealing. What a column holds is said in monitor.store.facts.sqlite.schema.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

import msgspec
import numpy as np

from alerts.issues import alike
from monitor.clock import to_us
from monitor.collector.accept import Judged, Terms
from monitor.collector.columns import Columns, Text, is_blank
from monitor.collector.names import Coded
from monitor.collector.wire import LEAST_US, MOST_US, CaptureIn, ClientIn
from monitor.model import OUTCOME_CODES, REASON_CODES, Capture, Duration
from monitor.rollup import ABSENT, AGAIN, CANARY, DELTA, HAS_EVENT, REPLAY, SKEW_US, SKEWED, Deltas
from monitor.seal import Sealer, capture_context, sealed_capture
from monitor.sparse import Ints
from monitor.store.facts.detail import Detail
from monitor.store.facts.protocol import Batch, CaptureRow, ClientCounts

_encode = msgspec.msgpack.Encoder().encode
_FORBIDDEN_HEADERS = ("authorization", "proxy-authorization", "cookie", "set-cookie")
_DEFAULTS = msgspec.structs.astuple(Detail())
_FIELDS = Detail.__struct_fields__
_COUNTED = {
    _FIELDS.index(name) for name in ("ack_us", "queue_us", "verify_us", "latency_us", "reason", "canary")
}
_BARE = _FIELDS.index("bare")
VERSION_CHARS = 64
MOST_MESSAGES = 20
"""Different failures of one request that are told apart: no client can fill the feed with its own words."""
MOST_READ = 200
"""Texts of one request that are read for it: each costs 5 µs, eight times the rest of its record."""


def packed(
    judged: Judged,
    coded: Coded,
    sealer: Sealer,
    endpoint: Callable[[str, str, str], int],
    bare: frozenset[int] = frozenset(),
) -> Batch:
    """The batch of these records. endpoint: code of (environment, source, endpoint).

    bare: places of rejections that are counted and stored without their texts.
    """
    c = judged.columns
    durations = _durations_us(c)
    times = [_or_none(column) for column in durations]
    outcomes = list(map(OUTCOME_CODES.__getitem__, c.outcome))
    hashes = _hashes(c.event_id)
    rows = list(
        zip(
            np.frombuffer(judged.ids, dtype="V16").tolist(),
            coded.routes,
            outcomes,
            judged.received_us,
            c.http_status,
            times[Duration.PROCESS],
            coded.errors,
            hashes,
            _details(c, times, coded, bare),
            strict=True,
        )
    )
    return Batch(
        rows,
        _deltas(judged, coded, durations, outcomes, hashes),
        _captures(c, sealer, endpoint),
        _fed(c, coded),
        bare=sorted(bare),
    )


def client_counts(client: ClientIn | None, terms: Terms) -> ClientCounts | None:
    """What the shipping client says of itself, with the skew of its clock (ours minus its own).

    Of types only what the key may write for.
    """
    if client is None:
        return None
    now_us = terms.now_us
    state = {
        "breakers": client.breakers,
        "types": [msgspec.structs.asdict(each) for each in client.types if terms.may_write(each)],
        "inbox_depth": client.inbox_depth,
        "inbox_oldest_age_s": client.inbox_oldest_age_s,
        "memory_bytes": client.memory_bytes,
        "cpu_seconds": client.cpu_seconds,
    }
    sent_us = _us(client.sent_at)
    return ClientCounts(
        client.name,
        client.version,
        client.instance,
        _us(client.started_at) or 0,
        now_us,
        None if sent_us is None else now_us - sent_us,
        client.produced,
        client.spooled,
        client.dropped,
        {name: value for name, value in state.items() if value not in (None, {}, [])},
    )


def _durations_us(c: Columns) -> Ints:
    """A column each in the order of Duration: microseconds, ABSENT where not reported."""
    milliseconds = np.array(
        (c.ack_ms, c.queue_ms, c.process_ms, c.verify_ms, c.latency_ms), dtype=np.float64
    )  # None becomes NaN
    return np.where(np.isnan(milliseconds), ABSENT, np.rint(milliseconds * 1000)).astype(np.int64)


def _fed(c: Columns, coded: Coded) -> list[tuple[int, ...]]:
    """Places of the records that control must hear of: dead letters and what replays came to one by one,
    failed attempts that say the same together."""
    if is_blank(c.replay_id) and not {"dead_lettered", "failed"}.intersection(c.outcome):
        return []
    alone, together = [], defaultdict[tuple[object, ...], list[int]](list)
    said = _Said()
    for place, (outcome, replay) in enumerate(zip(c.outcome, c.replay_id, strict=True)):
        if outcome == "dead_lettered" or replay:
            alone.append((place,))
        elif outcome == "failed" and not c.canary[place]:
            kin = (coded.routes[place], coded.errors[place], said.of(c.error_message[place]))
            together[kin].append(place)
    return alone + [tuple(places) for places in together.values()]


class _Said:
    """What messages of one request say; once too many say something of their own, the rest say nothing."""

    def __init__(self) -> None:
        self._known: dict[str | None, str] = {}
        self._apart: set[str] = set()

    def of(self, message: str | None) -> str:
        if message not in self._known:
            said = alike(message) if len(self._known) < MOST_READ else ""
            if len(self._apart) < MOST_MESSAGES:
                self._apart.add(said)
            self._known[message] = said if said in self._apart else ""
        return self._known[message]


def _hashes(event_ids: Text) -> list[int | None]:
    if None in event_ids:
        return [crc32(event_id.encode()) if event_id else None for event_id in event_ids]
    return list(map(crc32, map(str.encode, event_ids)))  # type: ignore[arg-type]  # no None is left


def _or_none(column: Ints) -> list[int | None]:
    values: list[int | None] = column.tolist()
    return [None if us == ABSENT else us for us in values] if (column == ABSENT).any() else values


def _deltas(
    judged: Judged, coded: Coded, durations: Ints, outcomes: Sequence[int], hashes: Sequence[int | None]
) -> Deltas:
    c = judged.columns
    deltas = np.zeros(len(outcomes), dtype=DELTA)
    deltas["record_id"] = np.frombuffer(judged.ids, dtype="V16")
    deltas["route"] = coded.routes
    deltas["minute"] = judged.stamp_ms // 60_000
    deltas["received_minute"] = np.array(judged.received_us, dtype=np.int64) // 60_000_000
    deltas["durations"] = durations.T
    deltas["error"] = coded.errors
    deltas["status"] = [status or 0 for status in c.http_status]
    deltas["outcome"] = outcomes
    if None in hashes:
        deltas["event_hash"] = [event_hash or 0 for event_hash in hashes]
        deltas["flags"] = [0 if event_hash is None else HAS_EVENT for event_hash in hashes]
    else:
        deltas["event_hash"] = hashes
        deltas["flags"] = HAS_EVENT
    if not is_blank(c.reason):
        deltas["reason"] = [REASON_CODES[reason] + 1 if reason else 0 for reason in c.reason]
    if True in c.canary:
        deltas["flags"] |= np.where(c.canary, CANARY, 0).astype(np.uint8)
    if not is_blank(c.replay_id):
        deltas["flags"] |= np.array([REPLAY if replay else 0 for replay in c.replay_id], dtype=np.uint8)
    if not set(c.attempt) <= {None, 1}:
        again = [AGAIN if attempt and attempt > 1 else 0 for attempt in c.attempt]
        deltas["flags"] |= np.array(again, dtype=np.uint8)
    if not is_blank(c.skew_ms):
        skew_us = np.rint(np.array(c.skew_ms, dtype=np.float64) * 1000)  # None becomes NaN
        deltas["flags"] |= np.where(np.abs(skew_us) > SKEW_US, SKEWED, 0).astype(np.uint8)
    return deltas


def _details(
    c: Columns, times: Sequence[list[int | None]], coded: Coded, bare: frozenset[int]
) -> list[bytes]:
    """Arrays in the order of detail.Detail, cut where nothing but its defaults would follow."""
    size = len(c.source)
    columns: list[Sequence[object]] = [
        c.event_id,
        times[Duration.ACK],
        times[Duration.QUEUE],
        times[Duration.VERIFY],
        times[Duration.LATENCY],
        c.attempt,
        c.receiver,
        c.secret_id,
        _mapped(REASON_CODES.__getitem__, c.reason),
        c.error_message,
        c.error_stack,
        c.canary,
        c.replay_id,
        _mapped(lambda ms: round(ms * 1000), c.skew_ms),
        c.cause,
        _mapped(_us, c.event_created_at),
        c.resource,
        _mapped(lambda version: str(version)[:VERSION_CHARS], c.version),
        c.remote_ip,
        c.user_agent,
        c.trace_id,
        c.span_id,
        c.labels,
        [coded.capped_types.get(place) for place in range(size)] if coded.capped_types else [None] * size,
        [coded.capped_errors.get(place) for place in range(size)] if coded.capped_errors else [None] * size,
        [capture is not None for capture in c.capture],
    ]
    while len(columns) > 1 and not any(columns[-1]):
        columns.pop()
    details = list(map(_encode, zip(*columns, strict=True)))
    for place in bare:
        details[place] = _encode(_bare(place, columns))
    return details


def _mapped(change: Callable[[Any], object], column: Sequence[object]) -> Sequence[object]:
    """The column with its values changed and its Nones kept."""
    if column.count(None) == len(column):
        return column
    return [None if value is None else change(value) for value in column]


def _bare(place: int, columns: Sequence[Sequence[object]]) -> tuple[object, ...]:
    """Of a rejection's detail what its counts need: times, reason and canary; and that it is bare."""
    found = [
        columns[field][place] if field in _COUNTED and field < len(columns) else default
        for field, default in enumerate(_DEFAULTS)
    ]
    found[_BARE] = True
    return tuple(found)


def _us(time: datetime | int | None) -> int | None:
    # an offset may put a date outside the years that can be shown again
    return min(max(to_us(time), LEAST_US), MOST_US) if isinstance(time, datetime) else time


def _captures(c: Columns, sealer: Sealer, endpoint: Callable[[str, str, str], int]) -> list[CaptureRow]:
    if is_blank(c.capture):
        return []
    found = []
    for place, (capture, event_id) in enumerate(zip(c.capture, c.event_id, strict=True)):
        if capture is not None and event_id:
            named = (c.environment[place], c.source[place], c.endpoint[place])
            kept = _kept(capture)
            sealed = sealed_capture(sealer, kept, capture_context(*named, event_id))
            found.append(CaptureRow(place, endpoint(*named), event_id, kept.redacted, sealed))
    return found


def _kept(capture: CaptureIn) -> Capture:
    """The capture without signatures and credentials, whatever the client allows."""
    headers = {
        name: value
        for name, value in capture.headers.items()
        if name.lower() not in _FORBIDDEN_HEADERS and "signature" not in name.lower()
    }
    if capture.body is None and capture.sha256 is not None:
        # a digest in place of a body can be shown, but nothing can be sent from it
        digest = f"sha256:{capture.sha256} length:{capture.length}".encode()
        return Capture(headers, digest, capture.content_type, redacted=True)
    return Capture(headers, capture.body or b"", capture.content_type, capture.redacted)
