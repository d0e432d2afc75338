"""Queue samples, probe results and clients' counts out of a SQLite store. Samples and results are keyed
by what was looked at first, so a range is read once per queue or endpoint; no read walks all history."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from monitor.clock import from_us
from monitor.model import ProbeKind, ProbeResult, QueueSample
from monitor.store.facts.protocol import ClientCounts
from monitor.store.facts.sqlite.names import Series


def samples_between(db: sqlite3.Connection, series: Series, start_us: int, end_us: int) -> list[QueueSample]:
    """All samples in [start_us, end_us), oldest first."""
    found = []
    for endpoint, queue in _queues(db):
        rows = db.execute(
            "SELECT depth, oldest_age_us, sampled_at_us FROM queue_sample"
            " WHERE endpoint = ? AND queue = ? AND sampled_at_us >= ? AND sampled_at_us < ?",
            (endpoint, queue, start_us, end_us),
        )
        found += [_sample(series, endpoint, queue, *row) for row in rows]
    return sorted(found, key=lambda sample: sample.sampled_at)


def latest_samples(db: sqlite3.Connection, series: Series, not_before_us: int) -> list[QueueSample]:
    """The newest sample of each queue that has one since the bound."""
    found = []
    for endpoint, queue in _queues(db):
        row = db.execute(
            "SELECT depth, oldest_age_us, sampled_at_us FROM queue_sample"
            " WHERE endpoint = ? AND queue = ? AND sampled_at_us >= ? ORDER BY sampled_at_us DESC LIMIT 1",
            (endpoint, queue, not_before_us),
        ).fetchone()
        if row is not None:
            found.append(_sample(series, endpoint, queue, *row))
    return found


def results_between(
    db: sqlite3.Connection, series: Series, kind: ProbeKind, start_us: int, end_us: int
) -> list[ProbeResult]:
    """All results of this kind in [start_us, end_us), oldest first."""
    found = []
    for endpoint in _probed(db):
        rows = db.execute(
            "SELECT checked_at_us, ok, http_status, latency_us, error, cert_not_after_us, cert_subject,"
            " cert_issuer FROM probe_result"
            " WHERE endpoint = ? AND kind = ? AND checked_at_us >= ? AND checked_at_us < ?",
            (endpoint, kind.value, start_us, end_us),
        )
        found += [_result(series, endpoint, kind, row) for row in rows]
    return sorted(found, key=lambda result: result.checked_at)


def clients_since(db: sqlite3.Connection, not_before_us: int) -> list[ClientCounts]:
    """What each start of each SDK instance said last, if since the bound. The table is small: read whole."""
    rows = db.execute(
        "SELECT name, version, instance, started_at_us, seen_at_us, skew_us, produced, spooled,"
        " dropped, state FROM client WHERE seen_at_us >= ? ORDER BY name, instance, started_at_us",
        (not_before_us,),
    )
    return [_client(row) for row in rows]


def _queues(db: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Every (endpoint code, queue) there is, by jumping from one to the next in the primary key."""
    after: tuple[int, str] | None = (-1, "")
    while after is not None:
        after = db.execute(
            "SELECT endpoint, queue FROM queue_sample WHERE (endpoint, queue) > (?, ?)"
            " ORDER BY endpoint, queue LIMIT 1",
            after,
        ).fetchone()
        if after is not None:
            yield after


def _probed(db: sqlite3.Connection) -> Iterator[int]:
    """Every endpoint code that was probed."""
    after = -1
    while (
        row := db.execute(
            "SELECT endpoint FROM probe_result WHERE endpoint > ? ORDER BY endpoint LIMIT 1", (after,)
        ).fetchone()
    ) is not None:
        after = row[0]
        yield after


def _sample(
    series: Series, endpoint: int, queue: str, depth: int, oldest_age_us: int | None, sampled_at_us: int
) -> QueueSample:
    key = series.keys[endpoint]
    age_s = None if oldest_age_us is None else oldest_age_us / 1e6
    return QueueSample(
        key.environment, key.source or "", key.endpoint or "", queue, depth, age_s, from_us(sampled_at_us)
    )


def _result(series: Series, endpoint: int, kind: ProbeKind, row: Sequence[Any]) -> ProbeResult:
    checked_at_us, ok, http_status, latency_us, error, not_after_us, subject, issuer = row
    key = series.keys[endpoint]
    return ProbeResult(
        key.environment,
        key.source or "",
        key.endpoint or "",
        kind,
        bool(ok),
        from_us(checked_at_us),
        http_status,
        None if latency_us is None else latency_us / 1000,
        error,
        None if not_after_us is None else from_us(not_after_us),
        subject,
        issuer,
    )


_dropped = msgspec.msgpack.Decoder(dict[str, int])
_state = msgspec.msgpack.Decoder(dict[str, object])


def _client(row: Sequence[Any]) -> ClientCounts:
    name, version, instance, started, seen, skew, produced, spooled, dropped, state = row
    return ClientCounts(
        name,
        version,
        instance,
        started,
        seen,
        skew,
        produced,
        spooled,
        _dropped.decode(dropped),
        _state.decode(state),
    )
