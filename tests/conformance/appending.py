"""What a facts store must do with batches: each record once, and an answer for each batch."""

from dataclasses import replace

from monitor.model import Grain, Outcome, Record
from tests.conformance.counting import assert_counts
from tests.conformance.store import HOUR, MINUTE, PAYMENTS, Store, ever, series
from tests.facts import NOON, RecordFactory, uuid7


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
