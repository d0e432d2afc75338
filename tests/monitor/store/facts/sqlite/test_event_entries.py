"""The event index's entries alone: no store. The oracle is a dict of hash → record ids."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.rollup import CANARY, DELTA, HAS_EVENT, Deltas
from monitor.store.facts.sqlite.event_entries import (
    ENTRIES_A_BLOCK,
    ENTRY,
    Entries,
    blocks_of,
    entries_of,
    first_hash,
    ids_in,
    merged,
    pending_ids,
    times_of,
    unpacked,
)

HASHES = st.sampled_from([0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]) | st.integers(
    0, 2**32 - 1
)
PAIRS = st.lists(st.tuples(HASHES, st.binary(min_size=16, max_size=16)), max_size=30)


def deltas_of(pairs: Sequence[tuple[int | None, bytes]]) -> Deltas:
    """Deltas with these events; None for a record without one."""
    found = np.zeros(len(pairs), dtype=DELTA)
    for item, (event_hash, record_id) in zip(found, pairs, strict=True):
        item["record_id"] = np.void(record_id)
        item["flags"] = CANARY if event_hash is None else CANARY | HAS_EVENT
        item["event_hash"] = event_hash or 0
    return found


def as_dict(entries: Entries) -> dict[int, list[bytes]]:
    found = defaultdict(list)
    for entry in entries:
        found[int(entry["hash"])].append(entry["record_id"].tobytes())
    return {event_hash: sorted(ids) for event_hash, ids in found.items()}


def expected(pairs: Sequence[tuple[int | None, bytes]]) -> dict[int, list[bytes]]:
    found = defaultdict(list)
    for event_hash, record_id in pairs:
        if event_hash is not None:
            found[event_hash].append(record_id)
    return {event_hash: sorted(ids) for event_hash, ids in found.items()}


@given(st.lists(st.tuples(st.none() | HASHES, st.binary(min_size=16, max_size=16)), max_size=30))
def test_entries_are_the_events_of_the_deltas_in_the_order_of_their_hashes(
    pairs: list[tuple[int | None, bytes]],
) -> None:
    entries = entries_of(deltas_of(pairs))

    assert as_dict(entries) == expected(pairs)
    assert entries["hash"].tolist() == sorted(entries["hash"].tolist())
    for event_hash in {0, 1, *expected(pairs)}:
        found = pending_ids(deltas_of(pairs), event_hash)
        assert sorted(found) == expected(pairs).get(event_hash, [])


@given(st.lists(PAIRS, min_size=1, max_size=5))
def test_merged_parts_hold_every_entry_once_and_in_order(parts: list[list[tuple[int, bytes]]]) -> None:
    found = merged([entries_of(deltas_of(part)) for part in parts])

    assert as_dict(found) == expected([pair for part in parts for pair in part])
    assert found["hash"].tolist() == sorted(found["hash"].tolist())


@given(st.integers(0, 4 * ENTRIES_A_BLOCK), st.integers(1, 5), st.randoms(use_true_random=False))
def test_blocks_are_found_by_their_first_hash(size: int, hashes: int, chance) -> None:  # type: ignore[no-untyped-def]
    pairs = [(chance.randrange(hashes), number.to_bytes(16, "big")) for number in range(size)]
    blocks = list(blocks_of(entries_of(deltas_of(pairs))))

    assert [first for first, _ in blocks] == [first_hash(block) for _, block in blocks]
    assert all(len(unpacked(block)) <= ENTRIES_A_BLOCK for _, block in blocks)
    for event_hash in range(hashes + 1):
        found = [one for first, block in blocks if first <= event_hash for one in ids_in(block, event_hash)]
        assert sorted(found) == expected(pairs).get(event_hash, [])


def test_times_are_those_of_the_oldest_and_the_newest_id() -> None:
    stamps = (1_795_000_000_123, 1_795_000_000_007, 1_795_999_999_999)
    pairs = [(7, stamp.to_bytes(6, "big") + b"\x7f" + bytes(9)) for stamp in stamps]

    assert times_of(entries_of(deltas_of(pairs))) == (min(stamps) * 1000, max(stamps) * 1000)


def test_an_entry_takes_twenty_bytes_and_four_blocks_a_page() -> None:
    assert ENTRY.itemsize == 20
    # the most that a row of a WITHOUT ROWID table keeps on its page, and what a row has beside its entries
    assert ENTRIES_A_BLOCK * ENTRY.itemsize + 24 <= (16_384 - 12) * 64 // 255 - 23
