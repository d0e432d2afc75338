"""Sparse vectors of counts, many at a time: reduced, packed as varints and unpacked without a Python loop.

A *sheet* is three parallel int64 arrays (row, key, value): vector `row` holds `value` at `key`. Rollups,
histogram bins and extremes are all kept this way. Pure: no store, no clock.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_KEY_BITS = 32  # a key stays below 2**32, so (row, key) sorts as one integer
_DENSE = 4  # cells of a table per triple up to which it beats sorting: 20 times at 1 or less
_WIDE = 16  # the same for the span of the keys, which is walked once


class Sheet(NamedTuple):
    """Sparse vectors as triples; rows and keys are non-negative, order is free until `reduced`."""

    row: Ints
    key: Ints
    value: Ints

    @classmethod
    def empty(cls) -> "Sheet":
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing, nothing)

    def as_dicts(self, rows: int) -> list[dict[int, int]]:
        """One {key: value} a row, for `rows` rows. The sheet is reduced."""
        cuts = np.searchsorted(self.row, np.arange(rows + 1)).tolist()
        key, value = self.key.tolist(), self.value.tolist()
        return [dict(zip(key[start:end], value[start:end], strict=True)) for start, end in pairwise(cuts)]


def joined(sheets: Sequence[Sheet]) -> Sheet:
    """All triples of `sheets`, one after the other, not yet reduced."""
    if not sheets:
        return Sheet.empty()
    return Sheet(
        np.concatenate([sheet.row for sheet in sheets]),
        np.concatenate([sheet.key for sheet in sheets]),
        np.concatenate([sheet.value for sheet in sheets]),
    )


def reduced(sheet: Sheet, by: Callable[[Ints, Ints], Ints] = np.add.reduceat) -> Sheet:
    """One triple per (row, key), sorted by both; equal ones are combined.

    by: `np.add.reduceat` (sums), `np.minimum.reduceat` or `np.maximum.reduceat`, no other; exact in 64 bits.
    """
    if sheet.row.size == 0:
        return sheet
    tabled = _tabled(sheet, by)
    if tabled is not None:
        return tabled
    combined = (sheet.row << _KEY_BITS) | sheet.key
    order = np.argsort(combined, kind="stable")
    combined = combined[order]
    starts = np.flatnonzero(np.concatenate(([True], combined[1:] != combined[:-1])))
    heads = combined[starts]
    value = by(sheet.value[order], starts)
    return Sheet(heads >> _KEY_BITS, heads & ((1 << _KEY_BITS) - 1), value)


def _tabled(sheet: Sheet, by: Callable[[Ints, Ints], Ints]) -> Sheet | None:
    """`reduced` through a table of rows and keys, without a sort; None where it would be mostly empty."""
    rows, most = int(sheet.row.max()) + 1, sheet.row.size * _DENSE
    first, width = int(sheet.key.min()), int(np.ptp(sheet.key)) + 1
    if width > sheet.row.size * _WIDE:
        return None
    keys, column = np.arange(width), sheet.key - first
    if rows * width > most:  # a column for each key that is there
        used = np.zeros(width, dtype=bool)
        used[column] = True
        keys, column = np.flatnonzero(used), (np.cumsum(used) - 1)[column]
        if rows * keys.size > most:
            return None
    place = sheet.row * keys.size + column
    table = np.zeros(rows * keys.size, dtype=np.int64)
    if by == np.add.reduceat:
        np.add.at(table, place, sheet.value)
    else:
        table[place] = sheet.value
        (np.minimum if by == np.minimum.reduceat else np.maximum).at(table, place, sheet.value)
    used = np.zeros(table.size, dtype=bool)
    used[place] = True
    cells = np.flatnonzero(used)
    return Sheet(cells // keys.size, keys[cells % keys.size] + first, table[cells])


def pack(sheet: Sheet, rows: int) -> list[bytes]:
    """One blob a row: LEB128 varints, key deltas and values in turn, keys ascending.

    sheet: reduced; values non-negative. A row without triples gives b"".
    """
    if sheet.row.size == 0:
        return [b""] * rows
    delta = sheet.key.copy()
    same_row = sheet.row[1:] == sheet.row[:-1]
    delta[1:][same_row] -= sheet.key[:-1][same_row]
    numbers = np.empty(sheet.row.size * 2, dtype=np.uint64)
    numbers[0::2] = delta.astype(np.uint64)
    numbers[1::2] = sheet.value.astype(np.uint64)
    encoded, lengths = _leb128(numbers)
    ends = np.cumsum(lengths)[1::2]  # after each pair
    last = np.searchsorted(sheet.row, np.arange(rows), side="right")
    cuts = np.concatenate(([0], np.where(last > 0, ends[np.maximum(last, 1) - 1], 0))).tolist()
    whole = encoded.tobytes()
    return [whole[cuts[i] : cuts[i + 1]] for i in range(rows)]


def unpack(blobs: Sequence[bytes]) -> Sheet:
    """The sheet whose row i is `blobs[i]`, reduced. Raises ValueError for bytes that `pack` did not write."""
    whole = np.frombuffer(b"".join(blobs), dtype=np.uint8)
    if whole.size == 0:
        return Sheet.empty()
    final = np.flatnonzero(whole < 0x80)  # the last byte of each number
    blob_ends = np.cumsum([len(blob) for blob in blobs])
    ended = np.searchsorted(final, blob_ends)  # numbers that end inside each blob and those before it
    lasts = whole[blob_ends[blob_ends > 0] - 1]  # of each blob, or of the one before an empty one
    if (lasts >= 0x80).any() or (ended % 2).any():
        raise ValueError("a packed vector is cut off")
    numbers = _numbers(whole, final)
    pairs = np.diff(ended, prepend=0) // 2
    total = np.concatenate(([0], np.cumsum(numbers[0::2])))  # of the key deltas before each pair
    key = total[1:] - np.repeat(total[ended // 2 - pairs], pairs)
    return Sheet(np.repeat(np.arange(len(blobs)), pairs), key, numbers[1::2])


def _numbers(whole: NDArray[np.uint8], final: Ints) -> Ints:
    """The varints whose last bytes, the highest, are at `final`. Most are short: this goes by length, not by
    byte."""
    numbers = whole[final].astype(np.int64)
    lengths = np.diff(final, prepend=-1)
    longer = np.flatnonzero(lengths > 1)
    for back in range(1, 11):
        if not longer.size:
            return numbers
        numbers[longer] = numbers[longer] << 7 | (whole[final[longer] - back] & 0x7F)
        longer = longer[lengths[longer] > back + 1]
    raise ValueError("a packed number is longer than 64 bits")


def _leb128(numbers: NDArray[np.uint64]) -> tuple[NDArray[np.uint8], Ints]:
    """The bytes of all numbers, and how many each took."""
    lengths = np.ones(numbers.size, dtype=np.int64)
    rest = numbers >> np.uint64(7)
    while rest.any():
        lengths += rest > 0
        rest >>= np.uint64(7)
    starts = np.cumsum(lengths) - lengths
    index = np.repeat(np.arange(numbers.size), lengths)
    position = np.arange(index.size) - starts[index]
    shifted = (numbers[index] >> (np.uint64(7) * position.astype(np.uint64))) & np.uint64(0x7F)
    more = (position < lengths[index] - 1).astype(np.uint64) << np.uint64(7)
    return (shifted | more).astype(np.uint8), lengths
