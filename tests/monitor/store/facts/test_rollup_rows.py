"""Rollup rows survive the way to disk and back."""

from collections.abc import Iterator

import numpy as np
import pytest

from monitor.model import Grain
from monitor.rollup import DELTA, Deltas, fold, rollups, spread
from monitor.store.facts.rollup_rows import buckets_of, rows_of


@pytest.fixture
def deltas() -> Deltas:
    """Forty records of two routes over three minutes, some failed, some without durations."""
    random = np.random.default_rng(7)
    found = np.zeros(40, dtype=DELTA)
    found["record_id"] = [random.bytes(16) for _ in range(40)]
    found["route"] = random.integers(10, 12, 40)
    found["minute"] = random.integers(29_000_000, 29_000_003, 40)
    found["received_minute"] = found["minute"] - 1
    found["durations"] = random.integers(-1, 5_000_000, (40, 5))
    found["outcome"] = random.integers(0, 4, 40)
    found["error"] = np.where(found["outcome"] == 2, 5, 0)
    found["status"] = np.where(found["outcome"] == 0, 202, 0)
    return found


def every_grain(deltas: Deltas) -> Iterator[list[tuple[object, ...]]]:
    parents = {10: 3, 11: 3, 3: 2, 2: 1}
    for buckets in spread(fold(deltas), parents):
        yield rows_of(buckets)


def test_rows_read_back_are_the_buckets_that_were_written(deltas: Deltas) -> None:
    buckets = fold(deltas)

    assert rollups(buckets_of(rows_of(buckets))) == rollups(buckets)


def test_rows_carry_their_grain(deltas: Deltas) -> None:
    assert [{row[1] for row in rows} for rows in every_grain(deltas)] == [{grain} for grain in Grain]


def test_a_cut_off_blob_is_refused(deltas: Deltas) -> None:
    row = list(rows_of(fold(deltas))[0])
    row[3] = b"\x80"

    with pytest.raises(ValueError, match="cut off"):
        buckets_of([tuple(row)])


def test_damaged_exemplars_are_refused(deltas: Deltas) -> None:
    row = list(rows_of(fold(deltas))[0])
    row[-1] = b"\xc1"

    with pytest.raises(ValueError, match="exemplars"):
        buckets_of([tuple(row)])
