"""What a facts store must do with batches: each record once, and an answer for each batch."""

from dataclasses import replace
from functools import partial
from random import Random

import pytest

from monitor.model import Grain, Outcome, Record
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
    newest_first,
    read_feed,
    series,
)
from tests.facts import NOON, Filled, RecordFactory, uuid7


class Appending:
    def test_stored_records_read_back_as_they_were(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)

        assert [store.reader.get(record.record_id) for record in many] == many

    def test_an_answer_counts_what_was_inserted(self, store: Store, make: RecordFactory) -> None:
        done = store.fill.add([make() for _ in range(250)])

        assert (done.accepted, done.duplicates, list(done.too_old)) == (250, 0, [])

    def test_a_record_sent_twice_is_counted_once(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)
        again = store.fill.add([*many[:50], *many[:50]])

        assert (again.accepted, again.duplicates) == (0, 100)
        assert ever(store).records() == len(many)

    def test_duplicates_among_new_records_change_nothing(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many[:100])
        second = store.fill.add([*many[50:200], many[150]])

        assert (second.accepted, second.duplicates) == (100, 51)
        assert_counts(ever(store), many[:200])

    def test_the_first_copy_wins(self, store: Store, make: RecordFactory) -> None:
        first = make(Outcome.SUCCEEDED)
        store.fill.add([first])
        store.fill.add([replace(first, outcome=Outcome.FAILED)])

        assert store.reader.get(first.record_id) == first

    def test_many_batches_share_a_transaction_and_get_an_answer_each(
        self, store: Store, make: RecordFactory
    ) -> None:
        one = [make(), make()]
        answers = store.writer.append(
            [store.fill.batch(one), store.fill.batch([make()]), store.fill.batch(one[:1])]
        )

        assert [(answer.accepted, answer.duplicates) for answer in answers] == [(2, 0), (1, 0), (0, 1)]

    def test_late_record_reopens_its_minute(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON)])
        store.writer.fold()
        store.fill.add([make(at=NOON + HOUR)])
        store.writer.fold()
        store.fill.add([make(Outcome.FAILED, at=NOON)])
        store.writer.fold()

        minute = series(store, PAYMENTS, Grain.MINUTE, NOON, NOON + MINUTE)[NOON]
        assert (minute.outcome(Outcome.SUCCEEDED), minute.outcome(Outcome.FAILED)) == (1, 1)

    def test_an_unknown_record_is_none(self, store: Store) -> None:
        assert store.reader.get(uuid7(NOON, 1)) is None

    def test_records_late_by_weeks_and_a_little_ahead_are_stored(
        self, store: Store, make: RecordFactory
    ) -> None:
        """The front lets a clock be 300 s ahead; how late a record may be, only the floor says."""
        times = [NOON - 20 * DAY, NOON - DAY.resolution, NOON + 300 * SECOND, NOON.replace(hour=0) + DAY]
        records = [make(at=at) for at in times]
        for record in records:
            assert store.fill.add([record, make()]).accepted == 2

        assert [store.reader.get(record.record_id) for record in records] == records

    @pytest.mark.parametrize(("place", "value"), [(3, 2**70), (2, None)], ids=["too large", "missing"])
    def test_a_record_that_cannot_be_stored_takes_no_neighbour_with_it(
        self, store: Store, make: RecordFactory, place: int, value: object
    ) -> None:
        groups = [[make(), make(Outcome.DEAD_LETTERED), make()] for _ in range(3)]
        batches = [store.fill.batch(records) for records in groups]
        row = list(batches[1].rows[1])
        row[place] = value
        batches[1] = replace(batches[1], rows=[batches[1].rows[0], tuple(row), batches[1].rows[2]])

        done = store.writer.append(batches)

        assert [(a.accepted, a.duplicates, list(a.unstorable)) for a in done] == [
            (3, 0, []),
            (2, 0, [1]),
            (3, 0, []),
        ]
        kept = [
            record for i, records in enumerate(groups) for j, record in enumerate(records) if (i, j) != (1, 1)
        ]
        assert list(pages(store.reader, RecordFilter(), 50)) == newest_first(kept)
        assert_counts(ever(store), kept)
        assert newest_first(read_feed(store, 10)) == newest_first(r for r in kept if r.error_class)

    def test_copies_that_come_at_once_are_stored_once(self, store: Store, many: list[Record]) -> None:
        """Every writer gets every record, in an order and in batches of its own."""
        answers: list[Appended] = []

        def append(fill: Filled, number: int) -> None:
            shuffled = Random(number).sample(many, len(many))
            for at in range(0, len(shuffled), 50):
                parts = (shuffled[at : at + 20], shuffled[at + 20 : at + 50])
                answers.extend(fill.writer.append([fill.batch(part) for part in parts]))

        writers = store.writers(4)
        at_once(*(partial(append, fill, number) for number, fill in enumerate(writers)))

        assert sum(done.accepted for done in answers) == len(many)
        assert sum(done.duplicates for done in answers) == len(many) * (len(writers) - 1)
        assert list(pages(store.reader, RecordFilter(), 500)) == newest_first(many)
        assert_counts(ever(store), many)
