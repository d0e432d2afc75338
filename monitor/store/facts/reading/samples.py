"""Queue samples, probe results and clients' counts of one snapshot: rows in, values out."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec

from monitor.clock import from_us
from monitor.model import ProbeKind, ProbeResult, QueueSample
from monitor.store.facts.protocol import ClientCounts
from monitor.store.facts.reading.series import Series

Row = Sequence[Any]
SAMPLE = ("endpoint", "queue", "depth", "oldest_age_us", "sampled_at_us")
RESULT = (
    "endpoint",
    "checked_at_us",
    "ok",
    "http_status",
    "latency_us",
    "error",
    "cert_not_after_us",
    "cert_subject",
    "cert_issuer",
)
CLIENT = (
    "name",
    "version",
    "instance",
    "started_at_us",
    "seen_at_us",
    "skew_us",
    "produced",
    "spooled",
    "dropped",
    "state",
    "accepted",
    "duplicates",
)
"""The columns of the rows, in order."""


class SampleTable(Protocol):
    """What collectors and SDKs say from time to time. Samples and results are keyed by what was looked at
    first, so a range is read once per queue or endpoint; no read walks all history."""

    def queue_samples(self, start_us: int, end_us: int) -> Iterable[Row]:
        """SAMPLE rows in [start_us, end_us), any order."""

    def latest_queue_samples(self, not_before_us: int) -> Iterable[Row]:
        """The newest SAMPLE row of each queue that has one since the bound, by endpoint code and queue."""

    def probe_results(self, kind: str, start_us: int, end_us: int) -> Iterable[Row]:
        """RESULT rows of this kind in [start_us, end_us), any order."""

    def probe_counts(self, endpoint: int, kind: str, start_us: int, end_us: int) -> tuple[int, int]:
        """(ok, all) of the results of one endpoint code in [start_us, end_us)."""

    def clients(self, not_before_us: int) -> Iterable[Row]:
        """CLIENT rows seen since the bound, by name, instance and start. The table is small: read whole."""

    def heartbeat_us(self, before_us: int) -> int | None:
        """The newest heartbeat of any collector before that."""


def samples_of(series: Series, rows: Iterable[Row]) -> list[QueueSample]:
    """The samples of SAMPLE rows, in their order."""
    return [_sample(series, *row) for row in rows]


def results_of(series: Series, kind: ProbeKind, rows: Iterable[Row]) -> list[ProbeResult]:
    """The results of RESULT rows, in their order."""
    return [_result(series, kind, *row) for row in rows]


def clients_of(rows: Iterable[Row]) -> list[ClientCounts]:
    """What each start of each SDK instance said last, in the order of the CLIENT rows."""
    return [_client(*row) for row in rows]


def _sample(
    series: Series, endpoint: int, queue: str, depth: int, oldest_age_us: int | None, sampled_at_us: int
) -> QueueSample:
    key = series.keys[endpoint]
    age_s = None if oldest_age_us is None else oldest_age_us / 1e6
    return QueueSample(
        key.environment, key.source or "", key.endpoint or "", queue, depth, age_s, from_us(sampled_at_us)
    )


def _result(
    series: Series,
    kind: ProbeKind,
    endpoint: int,
    checked_at_us: int,
    ok: int,
    http_status: int | None,
    latency_us: int | None,
    error: str | None,
    not_after_us: int | None,
    subject: str | None,
    issuer: str | None,
) -> ProbeResult:
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


def _client(
    name: str,
    version: str,
    instance: str,
    started_at_us: int,
    seen_at_us: int,
    skew_us: int | None,
    produced: int,
    spooled: int,
    dropped: bytes,
    state: bytes,
    accepted: int,
    duplicates: int,
) -> ClientCounts:
    return ClientCounts(
        name,
        version,
        instance,
        started_at_us,
        seen_at_us,
        skew_us,
        produced,
        spooled,
        _decode_dropped(dropped),
        _decode_state(state),
        accepted,
        duplicates,
    )


_decode_dropped = msgspec.msgpack.Decoder(dict[str, int]).decode
_decode_state = msgspec.msgpack.Decoder(dict[str, object]).decode
