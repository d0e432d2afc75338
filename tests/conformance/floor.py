"""What a facts store must do with its floor: nothing below it is stored, shown or counted again."""

import threading

from monitor.clock import to_us
from monitor.model import Record
from monitor.store.facts.protocol import RecordFilter, pages
from tests.conformance.counting import assert_counts
from tests.conformance.store import DAY, HOUR, MINUTE, Store, ever, purge
from tests.facts import NOON, RecordFactory


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
        store.fill.add([make(at=NOON + i * MINUTE) for i in range(60)])
        store.writer.fold()
        failures: list[BaseException] = []
        stop = threading.Event()

        def read() -> None:
            try:
                while not stop.is_set():
                    found = list(pages(store.reader, RecordFilter(), 7))
                    assert [r.record_id for r in found] == sorted((r.record_id for r in found), reverse=True)
                    assert ever(store).records() == 60
            except BaseException as exc:  # carried to the test's own thread
                failures.append(exc)

        reading = threading.Thread(target=read)
        reading.start()
        for i in range(60):
            purge(store, NOON + i * MINUTE, rows=1)
        stop.set()
        reading.join()

        assert failures == []
