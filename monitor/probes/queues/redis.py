"""Queues that lie in a Redis: lists, streams, and those of Celery and RQ."""

from collections.abc import Sequence
from datetime import UTC, datetime

from alerts.errors import Failure, RequestFailed
from monitor.probes.queues.resp import Redis, Reply
from monitor.probes.queues.target import QueueKind, QueueTarget

CELERY_PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
"""What Kombu appends to the name of a queue for its priority steps 0, 3, 6 and 9."""

Depth = tuple[int, float | None]
"""(how many wait, for how many seconds the oldest has; None where the broker cannot tell)"""


def read(target: QueueTarget, redis: Redis, now: datetime) -> Depth:
    """Raises RequestFailed."""
    if target.kind is QueueKind.REDIS_STREAM:
        return _stream(target, redis, now)
    if target.kind is QueueKind.CELERY:
        return sum(redis.number("LLEN", target.queue + step) for step in CELERY_PRIORITIES), None
    if target.kind is QueueKind.RQ:
        return _rq(target.queue, redis, now)
    return redis.number("LLEN", target.queue), None


def _rq(queue: str, redis: Redis, now: datetime) -> Depth:
    """A list of job ids, the oldest first; each job says when it was enqueued."""
    key = f"rq:queue:{queue}"
    depth, first = redis.number("LLEN", key), redis.ask("LINDEX", key, 0)
    if not isinstance(first, bytes):
        return depth, None
    enqueued = redis.ask("HGET", b"rq:job:" + first, "enqueued_at")
    try:
        at = datetime.fromisoformat(enqueued.decode()) if isinstance(enqueued, bytes) else None
    except ValueError:
        at = None
    if at is None:
        return depth, None
    return depth, _age_s(at if at.tzinfo else at.replace(tzinfo=UTC), now)


def _stream(target: QueueTarget, redis: Redis, now: datetime) -> Depth:
    """With a group what it has not acknowledged, else all that lies in the stream. An entry's id is its
    time."""
    if target.group is None:
        return redis.number("XLEN", target.queue), _id_age_s(_first(target.queue, "-", redis), now)
    group = _group(target.queue, target.group, redis)
    if group is None:  # a group that nobody has made has read nothing
        return redis.number("XLEN", target.queue), _id_age_s(_first(target.queue, "-", redis), now)
    pending = redis.ask("XPENDING", target.queue, target.group)
    held, oldest = (pending[0], pending[1]) if isinstance(pending, list) and len(pending) > 1 else (0, None)
    unread = group.get(b"lag")
    if not isinstance(unread, int):
        raise RequestFailed(
            Failure.CLIENT_ERROR,
            f"this Redis cannot tell what group {target.group} has not read",
            retryable=True,
            hint="it needs Redis 7, and entries that nobody deleted from the middle",
        )
    waiting = (held if isinstance(held, int) else 0) + unread
    if not isinstance(oldest, bytes) and waiting:
        delivered = group.get(b"last-delivered-id")
        after = b"(" + delivered if isinstance(delivered, bytes) else b"-"
        oldest = _first(target.queue, after, redis)
    return waiting, _id_age_s(oldest, now) if waiting else None


def _group(stream: str, name: str, redis: Redis) -> dict[bytes, Reply] | None:
    if redis.number("EXISTS", stream) == 0:
        return None
    groups = redis.ask("XINFO", "GROUPS", stream)
    for row in groups if isinstance(groups, list) else []:
        fields = _pairs(row) if isinstance(row, list) else {}
        if fields.get(b"name") == name.encode():
            return fields
    return None


def _pairs(row: Sequence[Reply]) -> dict[bytes, Reply]:
    return {name: value for name, value in zip(row[::2], row[1::2], strict=False) if isinstance(name, bytes)}


def _first(stream: str, start: str | bytes, redis: Redis) -> Reply:
    """The id of the first entry from there on. An entry larger than 64 KiB raises RequestFailed."""
    entries = redis.ask("XRANGE", stream, start, "+", "COUNT", 1)
    if isinstance(entries, list) and entries and isinstance(entries[0], list) and entries[0]:
        return entries[0][0]
    return None


def _id_age_s(entry_id: Reply, now: datetime) -> float | None:
    milliseconds, _, _ = entry_id.partition(b"-") if isinstance(entry_id, bytes) else (b"", b"", b"")
    if not milliseconds.isdigit():
        return None
    return max(0.0, now.timestamp() - int(milliseconds) / 1000)


def _age_s(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds())
