"""What a facts store must do with its floor: nothing below it is stored, shown or counted again."""

from functools import partial

import pytest

from monitor.clock import to_us
from monitor.model import Record
from monitor.store.facts.floor import step
from monitor.store.facts.protocol import Appended, RecordFilter, pages
from tests.conformance.counting import assert_counts
from tests.conformance.store import (
    DAY,
    HOUR,
    MINUTE,
    PAYMENTS,
    SECOND,
    Store,
    at_once,
    ever,
    meanwhile,
    newest_first,
    purge,
)
from tests.facts import NOON, Filled, RecordFactory


class Floor:
    def test_records_below_the_floor_are_refused_alone(self, store: Store, make: RecordFactory) -> None:
        store.writer.raise_floor(to_us(NOON), 1000)
        done = store.fill.add([make(at=NOON - MINUTE), make(at=NOON), make(at=NOON - MINUTE)])

        assert (done.accepted, list(done.too_old)) == (1, [0, 2])
        assert store.reader.floor_us() == to_us(NOON)

    def test_purging_goes_in_bounded_steps(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON) for _ in range(25)])

        steps = [store.writer.raise_floor(to_us(NOON + HOUR), 10) for _ in range(3)]

        assert steps == [True, True, False]
        assert list(store.reader.page(RecordFilter(), 10).records) == []

    def test_what_is_purged_stays_in_ever_and_cannot_come_back(
        self, store: Store, many: list[Record]
    ) -> None:
        store.fill.add(many)
        store.writer.fold()
        purge(store, NOON)
        again = store.fill.add(many)
        store.writer.fold()

        purged = [record for record in many if record.recorded_at < NOON]
        assert (len(again.too_old), again.accepted) == (len(purged), 0)
        assert_counts(ever(store), many)

    def test_the_floor_never_falls(self, store: Store) -> None:
        store.writer.raise_floor(to_us(NOON), 10)
        store.writer.raise_floor(to_us(NOON - DAY), 10)

        assert store.reader.floor_us() == to_us(NOON)

    def test_reading_goes_on_while_purging(self, store: Store, make: RecordFactory) -> None:
        """Over five days, so that a store which drops whole days drops some under its readers."""
        times = [NOON - 4 * DAY + i * 2 * HOUR for i in range(50)]
        store.fill.add([make(at=at) for at in times])
        store.writer.fold()

        def read() -> None:
            floor_us = store.reader.floor_us()
            found = list(pages(store.reader, RecordFilter(), 7))
            assert found == newest_first(found)
            assert found[0].recorded_at == times[-1]
            assert ever(store).records() == 50
            minutes = store.reader.recount(floor_us, to_us(NOON + DAY))
            assert 0 < sum(r.records() for (key, _), r in minutes.items() if key == PAYMENTS) <= 50

        with meanwhile(read):
            for at in times:
                purge(store, at, rows=1)

    def test_a_floor_that_one_writer_raises_binds_all(self, store: Store, make: RecordFactory) -> None:
        writers = store.writers(3)
        for fill in writers:
            fill.add([make(at=NOON)])

        while writers[-1].writer.raise_floor(to_us(NOON + HOUR), 1000):
            pass

        answers = [fill.add([make(at=NOON), make(at=NOON + HOUR)]) for fill in writers]
        assert [(done.accepted, list(done.too_old)) for done in answers] == [(1, [0])] * len(writers)
        floors = [fill.writer.floor_us for fill in writers]
        assert floors == [store.reader.floor_us()] * len(writers) == [to_us(NOON + HOUR)] * len(writers)

    def test_nothing_below_the_floor_is_left_by_appending_while_it_rises(
        self, store: Store, make: RecordFactory
    ) -> None:
        """Whether a record was counted or refused, the answers say: each once, and none stays below."""
        writers = store.writers(3)
        groups = [[[make(at=NOON + i * MINUTE) for i in range(60)] for _ in range(5)] for _ in writers]
        answers: list[Appended] = []

        def append(fill: Filled, batches: list[list[Record]]) -> None:
            for at, batch in enumerate(batches):
                answers.append(fill.add(batch))
                if fill is writers[0]:
                    purge(store, NOON + 10 * at * MINUTE)

        at_once(*(partial(append, fill, group) for fill, group in zip(writers, groups, strict=True)))
        purge(store, NOON + 40 * MINUTE)

        accepted = sum(done.accepted for done in answers)
        assert accepted + sum(len(done.too_old) for done in answers) == len(writers) * 5 * 60
        assert ever(store).records() == accepted
        kept = list(pages(store.reader, RecordFilter(), 500))
        assert {record.recorded_at for record in kept} == {NOON + i * MINUTE for i in range(40, 60)}

    def test_the_oldest_record_is_told_but_for_so_many(self, store: Store, make: RecordFactory) -> None:
        assert store.writer.oldest_us(0) is None
        store.fill.add([make(at=NOON - i * DAY) for i in range(3)])

        found = [store.writer.oldest_us(skip) for skip in range(4)]

        assert found == [to_us(NOON - 2 * DAY), to_us(NOON - DAY), to_us(NOON), None]

    def test_a_budget_of_bytes_is_met_by_the_oldest_records(self, store: Store, make: RecordFactory) -> None:
        empty_bytes = store.writer.used_bytes()
        for day in range(4):
            at = NOON - (3 - day) * DAY
            store.fill.add([make(at=at + i * SECOND, error_message=f"{i} " * 300) for i in range(3_000)])
        full_bytes = store.writer.used_bytes()
        budget_bytes = empty_bytes + (full_bytes - empty_bytes) // 2

        steps = 1
        while step(store.writer, to_us(NOON), 400 * 86_400, budget_bytes):
            steps += 1
            assert steps < 50

        assert store.writer.used_bytes() <= budget_bytes
        kept = store.reader.page(RecordFilter(), 10).records
        assert kept[0].recorded_at == NOON + 2_999 * SECOND
        assert store.writer.oldest_us(0) == store.reader.floor_us() < to_us(NOON)
        # a vacuum may come between the two
        assert store.reader.used_bytes() == pytest.approx(store.writer.used_bytes(), rel=0.1)
