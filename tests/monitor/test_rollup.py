"""Folding, alone: no store. The recount is the tests' own, worked out record by record."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Duration, Grain, Outcome, Reason, SeriesKey
from monitor.rollup import (
    DELTA,
    Buckets,
    Deltas,
    Rollup,
    coarsened,
    combined,
    error_key,
    fold,
    outcome_key,
    reason_key,
    rollups,
    spread,
    status_key,
)
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.recounting import as_figures, comparable, recount
from tests.monitor.store.facts.test_recount import thirty


class Codes:
    """Codes of names by counting, as a writer would make them."""

    def __init__(self) -> None:
        self.series: dict[SeriesKey, int] = {}
        self.errors: dict[tuple[int, str], int] = {}

    def intern_series(self, keys: Sequence[SeriesKey], now_us: int) -> dict[SeriesKey, int]:
        for key in keys:
            level: SeriesKey | None = key
            while level is not None:
                self.series.setdefault(level, len(self.series) + 1)
                level = level.parent
        return self.series

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
        for name in names:
            self.errors.setdefault(name, len(self.errors) + 1)
        return self.errors

    @property
    def parents(self) -> dict[int, int]:
        return {code: self.series[key.parent] if key.parent else 0 for key, code in self.series.items()}


def deltas_of(codes: Codes, records: Sequence[Made]) -> Deltas:
    return batch_of(codes, records).deltas  # type: ignore[arg-type]  # it only interns


def figures(codes: Codes, buckets: Sequence[Buckets]) -> dict[object, object]:
    keys = {code: key for key, code in codes.series.items()}
    names = {code: name for (_, name), code in codes.errors.items()}
    return {
        (keys[code], grain.grain, start): as_figures(rollup, names)
        for grain in buckets
        for (code, start), rollup in rollups(grain).items()
    }


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32).map(Random), st.lists(st.integers(1, 29), max_size=4))
def test_any_order_and_grouping_of_deltas_gives_the_recount(chance: Random, cuts: list[int]) -> None:
    codes, records = Codes(), thirty(chance)
    deltas = deltas_of(codes, records)
    deltas = deltas[chance.sample(range(len(deltas)), len(deltas))]
    parts = [fold(part) for part in np.split(deltas, sorted(cuts)) if len(part)]

    found = figures(codes, spread(combined(parts), codes.parents))
    assert found == {place: comparable(figure) for place, figure in recount(records).items()}


def test_grains_agree_whichever_way_they_are_reached() -> None:
    codes, records = Codes(), thirty(Random(1))
    minutes = fold(deltas_of(codes, records))

    by_hour = coarsened(coarsened(minutes, Grain.HOUR), Grain.DAY)
    assert rollups(by_hour) == rollups(coarsened(minutes, Grain.DAY))


def test_ties_for_the_slowest_go_to_the_later_record() -> None:
    codes = Codes()
    records = [Made(number, durations=(None, None, 5000, None, None)) for number in (3, 9, 4)]
    (rollup,) = rollups(fold(deltas_of(codes, records))).values()

    assert rollup.exemplars.slowest == (5000, records[1].record_id)


@pytest.mark.parametrize("given_", [{"canary": True}, {"replay_id": "r"}])
def test_replays_and_canaries_are_counted_apart_and_in_no_figure(given_: dict[str, object]) -> None:
    made = Made(
        1,
        outcome="failed",
        status=500,
        error="E",
        durations=(1, 2, 3, 4, 5),
        **given_,  # type: ignore[arg-type]
    )
    (rollup,) = rollups(fold(deltas_of(Codes(), [made]))).values()

    kind = 2 if made.canary else 1
    assert rollup.counts == {outcome_key(Outcome.FAILED, kind): 1}
    assert (rollup.records(), rollup.statuses(), rollup.errors()) == (1, {}, {})
    assert all(not rollup.distribution(duration).bins for duration in Duration)


def test_late_record_counts_in_the_minute_of_its_own_time() -> None:
    codes = Codes()
    late = Made(1, START_US - 3_600_000_000, received_us=START_US - 3_700_000_000, status=200)
    found = rollups(fold(deltas_of(codes, [late])))

    counted = {start: rollup.outcome(Outcome.SUCCEEDED) for (_, start), rollup in found.items()}
    assert counted == {late.minute: 1, late.received_at_us // 60_000_000: 0}


def test_no_two_counts_share_a_key() -> None:
    keys = [outcome_key(outcome, kind) for outcome in Outcome for kind in range(3)]
    keys += [status_key(status, rejected) for status in (100, 200, 599) for rejected in (False, True)]
    keys += [error_key(code) for code in (1, 2, 10**9)]
    keys += [reason_key(reason) for reason in Reason]
    assert len(set(keys)) == len(keys)


def test_nothing_folds_to_nothing() -> None:
    assert rollups(fold(np.empty(0, dtype=DELTA))) == {}
    assert Rollup().records() == 0
