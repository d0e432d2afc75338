"""Whatever happens to a store, in whatever order: its rollups are a recount of what was ever inserted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.clock import to_us
from monitor.model import Grain, Record
from monitor.rollup import Rollup
from monitor.store.facts.protocol import Appended, RecordFilter, pages
from tests.conformance.counting import assert_counts, lineage, of_series
from tests.conformance.store import DAY, HOUR, NewStore, Store, fold, newest_first, purge
from tests.facts import NOON, mixed, route_of

EXAMPLES = 15
START = NOON - 2 * DAY
_END = NOON + 2 * DAY

Batches = list[list[int]]
Step = Batches | str | int
"""A group of batches of record numbers, "fold", or a purge of the first so many hours."""

_batches = st.lists(st.lists(st.integers(0, 59), max_size=25), min_size=1, max_size=3)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    _batches | _batches | st.just("fold") | st.integers(0, 60), min_size=2, max_size=9
)


@dataclass
class Expected:
    """What a store must hold: all that was ever counted, and the floor below which nothing is."""

    counted: dict[UUID, Record] = field(default_factory=dict)
    floor: datetime = NOON - 20 * DAY

    def append(self, batches: Iterable[list[Record]]) -> list[Appended]:
        return [self._batch(batch) for batch in batches]

    def _batch(self, batch: list[Record]) -> Appended:
        too_old = [i for i, record in enumerate(batch) if record.recorded_at < self.floor]
        known = len(self.counted)
        for i, record in enumerate(batch):
            if i not in too_old:
                self.counted.setdefault(record.record_id, record)
        accepted = len(self.counted) - known
        return Appended(accepted, len(batch) - len(too_old) - accepted, too_old)


class Properties:
    def test_any_order_duplication_and_lateness_is_a_recount(self, new_store: NewStore) -> None:
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(seed=st.integers(0, 2**20), happening=STEPS)
        def holds(seed: int, happening: list[Step]) -> None:
            with new_store() as store:
                happen(store, mixed(60, seed, start=START, over=60 * HOUR), happening)

        holds()


def happen(store: Store, records: list[Record], happening: list[Step]) -> None:
    """Does all of it to the store, which after each step is as expected."""
    expected = Expected()
    for step in happening:
        if step == "fold":
            store.writer.fold()
        elif isinstance(step, int):
            expected.floor = max(expected.floor, START + timedelta(hours=step))
            purge(store, expected.floor, rows=20)
            store.writer.prune()
        elif not isinstance(step, str):
            batches = [[records[number] for number in batch] for batch in step]
            done = store.writer.append([store.fill.batch(batch) for batch in batches])
            assert [plain(answer) for answer in done] == [plain(a) for a in expected.append(batches)]
        assert_as_expected(store, expected)
    fold(store)
    assert_as_expected(store, expected)


def assert_as_expected(store: Store, expected: Expected) -> None:
    ever = list(expected.counted.values())
    above = [record for record in ever if record.recorded_at >= expected.floor]
    keys = list({key for record in ever for key in lineage(route_of(record))})
    totals = store.reader.ever(keys)
    for key in keys:
        assert_counts(totals[key], of_series(ever, key))
    start_us, end_us = to_us(max(expected.floor, NOON - 3 * DAY)), to_us(_END)
    minutes = store.reader.rollups(keys, Grain.MINUTE, start_us, end_us)
    counted = {(key, at): rollup for key, found in minutes.items() for at, rollup in found.items()}
    assert counted == store.reader.recount(start_us, end_us)
    recent = store.reader.total(keys, start_us, end_us)
    for key in keys:
        assert_counts(recent.get(key, Rollup()), of_series(above, key))
    assert list(pages(store.reader, RecordFilter(), 20)) == newest_first(above)


def plain(answer: Appended) -> tuple[int, int, list[int], list[int]]:
    return answer.accepted, answer.duplicates, list(answer.too_old), list(answer.unstorable)
