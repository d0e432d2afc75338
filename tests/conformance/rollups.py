"""What rollups must say: exactly what counting the records one by one says, folded or not."""

from datetime import datetime, timedelta

import pytest

from monitor.clock import to_us
from monitor.model import DEFAULT_ENVIRONMENT, Grain, Record, SeriesKey
from monitor.rollup import Rollup
from tests.conformance.counting import assert_counts, lineage, of_series
from tests.conformance.store import DAY, EVERYTHING, HOUR, MINUTE, PAYMENTS, Store, fill_in_parts, us
from tests.facts import NOON, RecordFactory, route_of


class Rollups:
    @pytest.mark.parametrize("folded", [0, 1, 2], ids=["unfolded", "half folded", "folded"])
    @pytest.mark.parametrize("grain", [Grain.MINUTE, Grain.HOUR, Grain.DAY])
    def test_series_at_each_grain_count_every_record(
        self, store: Store, many: list[Record], grain: Grain, folded: int
    ) -> None:
        fill_in_parts(store, many, folded)
        keys = {key for record in many for key in lineage(route_of(record))}

        found = store.reader.rollups(list(keys), grain, to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY))

        width_us = us(timedelta(minutes=grain.minutes))
        for key in keys:
            inside: dict[int, list[Record]] = {}
            for record in of_series(many, key):
                inside.setdefault(to_us(record.recorded_at) // width_us * width_us, []).append(record)
            for start_us, rollup in found[key].items():
                assert_counts(rollup, inside.pop(start_us, []))
            assert inside == {}

    @pytest.mark.parametrize("folded", [0, 1, 2], ids=["unfolded", "half folded", "folded"])
    def test_rollups_and_deltas_are_a_recount(self, store: Store, many: list[Record], folded: int) -> None:
        fill_in_parts(store, many, folded)
        start_us, end_us = to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY)

        keys = list(store.reader.series().values())
        counted = store.reader.rollups(keys, Grain.MINUTE, start_us, end_us)
        recounted = store.reader.recount(start_us, end_us)

        assert {(key, at): r for key, found in counted.items() for at, r in found.items()} == recounted
        assert len(recounted) > 100

    def test_a_recount_takes_only_its_range(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)
        start, end = NOON - 10 * MINUTE, NOON + 10 * MINUTE

        recounted = store.reader.recount(to_us(start), to_us(end))

        whole = store.reader.rollups([EVERYTHING], Grain.MINUTE, to_us(start), to_us(end))[EVERYTHING]
        assert {at: r for (key, at), r in recounted.items() if key == EVERYTHING} == whole

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (NOON - 2 * DAY, NOON + 2 * DAY),
            (NOON - DAY + 7 * MINUTE, NOON + DAY + MINUTE),
            (NOON - DAY + 61 * MINUTE, NOON - 30 * MINUTE),
            (NOON - 5 * MINUTE, NOON + 5 * MINUTE),
            (NOON.replace(hour=0), NOON.replace(hour=0) + DAY),
        ],
    )
    @pytest.mark.parametrize("folded", [0, 1, 2], ids=["unfolded", "half folded", "folded"])
    def test_a_total_is_exact_between_any_minutes(
        self, store: Store, many: list[Record], start: datetime, end: datetime, folded: int
    ) -> None:
        fill_in_parts(store, many, folded)
        keys = [EVERYTHING, SeriesKey(DEFAULT_ENVIRONMENT, "stripe"), PAYMENTS]

        found = store.reader.total(keys, to_us(start), to_us(end))

        inside = [record for record in many if start <= record.recorded_at < end]
        for key in keys:
            assert_counts(found.get(key, Rollup()), of_series(inside, key))

    def test_a_total_of_no_time_is_empty(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON)])

        assert store.reader.total([EVERYTHING], to_us(NOON), to_us(NOON)) == {}

    def test_silent_and_unknown_series_are_left_out(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON)])
        unknown = SeriesKey(DEFAULT_ENVIRONMENT, "nobody")
        span = (to_us(NOON), to_us(NOON + MINUTE))

        assert set(store.reader.total([EVERYTHING, unknown], *span)) == {EVERYTHING}
        assert set(store.reader.rollups([EVERYTHING, unknown], Grain.MINUTE, *span)) == {EVERYTHING}
        assert store.reader.total([EVERYTHING], to_us(NOON + HOUR), to_us(NOON + 2 * HOUR)) == {}

    def test_steps_are_the_sum_of_their_buckets(self, store: Store, many: list[Record]) -> None:
        fill_in_parts(store, many, 1)
        start, end = NOON - 90 * MINUTE, NOON + 90 * MINUTE

        steps = store.reader.rollups([EVERYTHING], Grain.MINUTE, to_us(start), to_us(end), 15)[EVERYTHING]

        for at_us, rollup in steps.items():
            assert at_us % us(15 * MINUTE) == 0
            stop = at_us + us(15 * MINUTE)
            assert_counts(rollup, [r for r in many if at_us <= to_us(r.recorded_at) < stop])
        assert sum(rollup.records() for rollup in steps.values()) == 200
