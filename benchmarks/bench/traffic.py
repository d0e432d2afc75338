"""Made-up traffic for the benchmarks, packed for a writer: 20 endpoints and 200 types, a few of them most of
it, unless others are asked for.

Deltas and rows are what the collector's front makes of such records. Times are given by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from monitor.model import Duration, Outcome, SeriesKey
from monitor.rollup import ABSENT, DELTA, HAS_EVENT
from monitor.store.facts.detail import Detail, encode
from monitor.store.facts.protocol import Batch, FactWriter

SOURCES, ENDPOINTS_EACH, TYPES_EACH = 5, 4, 10
SKEW = 1.2
"""The n-th type has a share of 1 / n**SKEW: the first of 200 has a quarter, the last hundred a tenth."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """What traffic is like. shares: of attempts that succeed, fail and die; skew: as SKEW."""

    sources: int = SOURCES
    endpoints_each: int = ENDPOINTS_EACH
    types_each: int = TYPES_EACH
    skew: float = SKEW
    shares: tuple[float, float, float] = (0.95, 0.04, 0.01)

    def keys(self) -> list[SeriesKey]:
        return [
            SeriesKey("production", f"source{s}", f"endpoint{s}{e}", f"type{t}.happened")
            for t in range(self.types_each)
            for s in range(self.sources)
            for e in range(self.endpoints_each)
        ]


USUAL = Shape()


class Traffic:
    """Batches of records, the same for the same seed."""

    def __init__(self, writer: FactWriter, now_us: int, seed: int = 1, shape: Shape = USUAL) -> None:
        keys = shape.keys()
        codes = writer.intern_series(keys, now_us)
        endpoints = [codes[SeriesKey(key.environment, key.source, key.endpoint)] for key in keys]
        errors = writer.intern_errors([(endpoint, "Timeout") for endpoint in endpoints])
        share = 1 / np.arange(1, len(keys) + 1) ** shape.skew
        self._shares = shape.shares
        self._share = share / share.sum()
        self._routes = np.array([codes[key] for key in keys])
        self._errors = np.array([errors[endpoint, "Timeout"] for endpoint in endpoints])
        self._dice = np.random.default_rng(seed)

    def batch(self, first: int, at_us: Ints) -> Batch:
        """One record a time of `at_us`, numbered from `first` on; no two numbers make the same id."""
        size = at_us.size
        which = self._dice.choice(self._routes.size, size, p=self._share)
        outcome = self._dice.choice(
            [Outcome.SUCCEEDED.code, Outcome.FAILED.code, Outcome.DEAD_LETTERED.code],
            size,
            p=self._shares,
        )
        process_us = np.minimum(self._dice.lognormal(10.5, 0.9, size).astype(np.int64), 10**8)
        error = np.where(outcome == Outcome.SUCCEEDED.code, 0, self._errors[which])
        status = np.where(outcome == Outcome.SUCCEEDED.code, 200, 500)
        ids = [
            (us // 1000).to_bytes(6, "big") + b"\x70\x00\x80" + number.to_bytes(7, "big")
            for number, us in enumerate(at_us.tolist(), first)
        ]
        hashes = [crc32(event_id(number).encode()) for number in range(first, first + size)]
        deltas = np.zeros(size, dtype=DELTA)
        deltas["record_id"] = np.frombuffer(b"".join(ids), dtype="V16")
        deltas["route"] = self._routes[which]
        deltas["minute"] = at_us // 60_000_000
        deltas["received_minute"] = (at_us - process_us) // 60_000_000
        deltas["durations"] = ABSENT
        deltas["durations"][:, Duration.PROCESS] = process_us
        deltas["durations"][:, Duration.ACK] = process_us + 900
        deltas["durations"][:, Duration.VERIFY] = 350
        deltas["durations"][:, Duration.LATENCY] = process_us + 1000
        deltas["error"] = error
        deltas["status"] = status
        deltas["outcome"] = outcome
        deltas["event_hash"] = hashes
        deltas["flags"] = HAS_EVENT
        columns: Sequence[Sequence[object]] = (
            ids,
            self._routes[which].tolist(),
            outcome.tolist(),
            (at_us - process_us).tolist(),
            status.tolist(),
            process_us.tolist(),
            error.tolist(),
            hashes,
        )
        details = [encode(_detail(number, us)) for number, us in enumerate(process_us.tolist(), first)]
        return Batch(list(zip(*columns, details, strict=True)), deltas)


def _detail(number: int, process_us: int) -> Detail:
    return Detail(
        event_id=event_id(number),
        ack_us=process_us + 900,
        verify_us=350,
        latency_us=process_us + 1000,
        attempt=1,
    )


def event_id(number: int) -> str:
    return f"evt_{number}"
