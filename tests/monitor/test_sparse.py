"""Sheets reduce to what adding triple by triple gives, and survive packing."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sparse import Ints, Sheet, pack, reduced, unpack

Triples = list[tuple[int, int, int]]

# wide keys go through a sort, narrow ones through a table; of a few far apart it holds only those there are
keys = st.integers(0, 40) | st.integers(0, 2**32 - 1)
triples = st.lists(st.tuples(st.integers(0, 6), keys, st.integers(0, 2**40)), max_size=60) | st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(300, 320) | st.sampled_from([300, 400, 500]), st.integers(0, 2**40)
    ),
    min_size=40,
    max_size=200,
)


def sheet_of(found: Triples) -> Sheet:
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Sheet(columns[:, 0], columns[:, 1], columns[:, 2])


def triples_of(sheet: Sheet) -> Triples:
    return list(zip(sheet.row.tolist(), sheet.key.tolist(), sheet.value.tolist(), strict=True))


@pytest.mark.parametrize(
    ("by", "one"),
    [(np.add.reduceat, sum), (np.minimum.reduceat, min), (np.maximum.reduceat, max)],
    ids=["sum", "min", "max"],
)
@given(found=triples)
def test_reducing_combines_triple_by_triple(
    found: Triples, by: Callable[[Ints, Ints], Ints], one: Callable[[list[int]], int]
) -> None:
    expected: dict[tuple[int, int], list[int]] = {}
    for row, key, value in found:
        expected.setdefault((row, key), []).append(value)

    reduced_to = triples_of(reduced(sheet_of(found), by))

    assert reduced_to == [(*place, one(values)) for place, values in sorted(expected.items())]


@given(found=triples)
def test_packed_sheets_unpack_to_themselves(found: Triples) -> None:
    sheet = reduced(sheet_of(found))

    assert triples_of(unpack(pack(sheet, 8))) == triples_of(sheet)


def test_sums_beyond_a_float_are_exact() -> None:
    sheet = sheet_of([(0, 5, 2**60), (0, 5, 1), (0, 5, 1)])

    assert triples_of(reduced(sheet)) == [(0, 5, 2**60 + 2)]


@pytest.mark.parametrize(
    "blob",
    [b"\x80", b"\x01", b"\x01\x02\x03", b"\xff" * 11 + b"\x01\x01"],
    ids=["cut", "odd", "odd 3", "long"],
)
def test_bytes_that_pack_never_wrote_are_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack([b"\x01\x01", blob])


def test_a_number_cut_between_two_blobs_is_refused() -> None:
    with pytest.raises(ValueError, match="cut off"):
        unpack([b"\x01\x01\x80", b"\x01"])


def test_blob_cut_off_inside_a_number_is_not_read_into_the_next_one() -> None:
    with pytest.raises(ValueError, match="cut off"):
        unpack([b"\xff", b"\x01\x02\x03"])
