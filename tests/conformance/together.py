"""What a facts store must do while many write, fold and read: exact counts, whole names, no waiting."""

from functools import partial

from monitor.clock import to_us
from monitor.model import Grain, Outcome, Record
from monitor.store.facts.protocol import RecordFilter, pages
from tests.conformance.counting import assert_counts, lineage
from tests.conformance.store import DAY, EVERYTHING, Store, at_once, fold, meanwhile
from tests.facts import NOON, Filled, route_of


class Together:
    def test_counts_are_exact_while_many_write_fold_and_read(self, store: Store, many: list[Record]) -> None:
        """In every snapshot a count never falls, and the parts make up the whole."""
        writers = store.writers(3)
        seen = 0

        def write(fill: Filled, records: list[Record]) -> None:
            for at in range(0, len(records), 10):
                fill.add(records[at : at + 10])
                fill.writer.fold()

        def look() -> None:
            nonlocal seen
            keys = list(store.reader.series().values())
            found = store.reader.ever(keys)
            counted = {key: rollup.records() for key, rollup in found.items()}
            for parent in counted:
                parts = [n for key, n in counted.items() if key.parent == parent]
                assert not parts or sum(parts) <= counted[parent]  # a name may be newer than `keys`
            assert counted.get(EVERYTHING, 0) >= seen
            seen = counted.get(EVERYTHING, 0)

        with meanwhile(look):
            at_once(*(partial(write, fill, many[n :: len(writers)]) for n, fill in enumerate(writers)))

        assert_counts(store.reader.ever([EVERYTHING])[EVERYTHING], many)
        fold(store)
        assert_counts(store.reader.ever([EVERYTHING])[EVERYTHING], many)

    def test_no_name_dangles_while_many_make_new_ones(self, store: Store, many: list[Record]) -> None:
        writers = store.writers(3)

        def look() -> None:
            series = store.reader.series()
            assert all(key.parent is None or key.parent in series.values() for key in series.values())
            for record in store.reader.page(RecordFilter(), 50).records:
                assert record.source
                assert record.outcome is not Outcome.FAILED or record.error_class

        def write(fill: Filled, records: list[Record]) -> None:
            for record in records:
                fill.add([record])

        with meanwhile(look):
            at_once(*(partial(write, fill, many[n : 300 : len(writers)]) for n, fill in enumerate(writers)))

        stored = many[:300]
        assert set(store.reader.series().values()) == {
            key for record in stored for key in lineage(route_of(record))
        }
        assert len(list(pages(store.reader, RecordFilter(), 100))) == len(stored)

    def test_folds_at_once_take_each_delta_once(self, store: Store, many: list[Record]) -> None:
        writers = store.writers(4)
        for at in range(0, len(many), 10):
            store.fill.add(many[at : at + 10])
        folded: list[int] = []

        def take(fill: Filled) -> None:
            for _ in range(10):
                folded.append(fill.writer.fold())

        at_once(*(partial(take, fill) for fill in writers))

        assert sum(folded) == len(many)
        start_us, end_us = to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY)
        counted = store.reader.rollups(list(store.reader.series().values()), Grain.MINUTE, start_us, end_us)
        recounted = store.reader.recount(start_us, end_us)
        assert {(key, at): r for key, found in counted.items() for at, r in found.items()} == recounted
