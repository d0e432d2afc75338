"""Entries of the event index: (hash of an event id, record id), sorted by hash, packed into blocks.

Pure: arrays and bytes in, arrays and bytes out. Entries of one hash stand in no particular order, and may go
on from one block into the next.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.rollup import HAS_EVENT, Deltas

ENTRY = np.dtype([("hash", "<u4"), ("record_id", "V16")])
ENTRIES_A_BLOCK = 200
"""Four blocks fill a page of 16 KiB, and none spills over into another."""

_PLACE_BITS, _PLACE_MASK = np.uint64(32), np.uint64(0xFFFF_FFFF)

Entries = NDArray[Any]
"""Items of ENTRY."""


def entries_of(deltas: Deltas) -> Entries:
    """The entries of those deltas that have an event, sorted."""
    with_event = np.flatnonzero(deltas["flags"] & HAS_EVENT)
    hashes = deltas["event_hash"][with_event].astype(np.uint64)
    # each hash with its place below it: plain numbers are sorted in half the time of an argsort
    order = np.sort(hashes << _PLACE_BITS | np.arange(len(hashes), dtype=np.uint64)) & _PLACE_MASK
    places = with_event[order.astype(np.intp)]
    entries = np.empty(len(places), dtype=ENTRY)
    entries["hash"] = deltas["event_hash"][places]
    entries["record_id"] = deltas["record_id"][places]
    return entries


def merged(parts: Sequence[Entries]) -> Entries:
    """All entries of these sorted parts, sorted. At least one part."""
    every = np.concatenate(parts)
    found: Entries = every[np.argsort(every["hash"], kind="stable")]
    return found


def times_of(entries: Entries) -> tuple[int, int]:
    """When the oldest and the newest of these records were made, microseconds. At least one entry."""
    stamps_ms = _stamps_ms(entries)
    return int(stamps_ms.min()) * 1000, int(stamps_ms.max()) * 1000


def not_before(entries: Entries, floor_us: int) -> Entries:
    """The entries of records that are not older than the floor."""
    found: Entries = entries[_stamps_ms(entries) >= -(-floor_us // 1000)]
    return found


def blocks_of(entries: Entries) -> Iterator[tuple[int, bytes]]:
    """(first hash, packed entries) a block, in order."""
    packed, size = entries.tobytes(), ENTRIES_A_BLOCK * ENTRY.itemsize
    firsts = entries["hash"][::ENTRIES_A_BLOCK].tolist()
    for place, first in enumerate(firsts):
        yield first, packed[place * size : (place + 1) * size]


def unpacked(blocks: bytes) -> Entries:
    """The entries of one block, or of several one after the other."""
    return np.frombuffer(blocks, dtype=ENTRY)


def first_hash(block: bytes) -> int:
    return int(unpacked(block)["hash"][0])


def ids_in(block: bytes, event_hash: int) -> list[bytes]:
    """The record ids that a block holds for this hash."""
    entries = unpacked(block)
    start, end = np.searchsorted(entries["hash"], np.array([event_hash, event_hash + 1]))
    return [found.tobytes() for found in entries["record_id"][start:end]]


def pending_ids(deltas: Deltas, event_hash: int) -> list[bytes]:
    """The record ids of this hash among deltas, which are in no order."""
    found = deltas[deltas["event_hash"] == event_hash]
    return [one.tobytes() for one in found["record_id"][found["flags"] & HAS_EVENT != 0]]


def _stamps_ms(entries: Entries) -> NDArray[np.uint64]:
    halves = np.ascontiguousarray(entries["record_id"]).view(">u8")
    return (halves[::2] >> 16).astype(np.uint64)  # a UUIDv7 begins with its time
