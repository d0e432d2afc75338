"""Rollup rows as they lie on disk, and the Buckets they stand for: many at a time, both ways.

Every SQL store reads and writes rollups through this, so that one can be restored from another. It knows
no SQL beyond the order of the columns.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from monitor.model import Grain
from monitor.rollup import NO_EXEMPLARS, Buckets, Exemplars
from monitor.sparse import pack, unpack

COLUMNS = ("counts", "ack", "queue", "process", "verify", "latency", "lows", "highs", "exemplars")
"""The blobs of a row, in the order of `rows_of` and `buckets_of`; the middle five in that of Duration."""

Packed = tuple[Any, ...]
"""(series code, grain, start in minutes, then one blob a column of COLUMNS)."""


class _Exemplars(msgspec.Struct, array_like=True, gc=False):
    slowest: tuple[int, bytes] | None = None
    failures: dict[int, bytes] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Exemplars).decode


def rows_of(buckets: Buckets) -> list[Packed]:
    """One row a bucket, in the order of `buckets`."""
    rows = len(buckets)
    sheets = (buckets.counts, *buckets.bins, buckets.lows, buckets.highs)
    blobs = [pack(sheet, rows) for sheet in sheets]
    exemplars = [_packed(found) for found in buckets.exemplars]
    grain = [int(buckets.grain)] * rows
    return list(zip(buckets.series.tolist(), grain, buckets.start.tolist(), *blobs, exemplars, strict=True))


def buckets_of(rows: Sequence[Packed], columns: Sequence[str] = COLUMNS) -> Buckets:
    """The buckets of `rows`, in their order. All of one grain, at least one.

    columns: what the rows hold after their first three; what is not among them is empty. Raises ValueError
    for blobs that `rows_of` did not write.
    """
    series, _, start, *blobs = zip(*rows, strict=True)
    held = dict(zip(columns, blobs, strict=True))
    counts, *bins, lows, highs = (unpack(held.get(name, ())) for name in COLUMNS[:-1])
    return Buckets(
        Grain(rows[0][1]),
        np.array(series, dtype=np.int64),
        np.array(start, dtype=np.int64),
        counts,
        tuple(bins),
        lows,
        highs,
        [_unpacked(blob) for blob in held.get("exemplars", [b""] * len(rows))],
    )


def _packed(found: Exemplars) -> bytes:
    if found.slowest is None and not found.failures:
        return b""
    return _encode(_Exemplars(found.slowest, dict(found.failures)))


def _unpacked(blob: bytes) -> Exemplars:
    if not blob:
        return NO_EXEMPLARS
    try:
        found = _decode(blob)
    except msgspec.DecodeError as exc:
        raise ValueError("packed exemplars are damaged") from exc
    return Exemplars(found.slowest, found.failures)
