"""What a facts store must do with bare rejections: delete them, and go on counting every one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.clock import to_us
from monitor.maintain.verify import verify
from monitor.model import Outcome, Record
from monitor.store.facts.protocol import Appended, RecordFilter, pages
from tests.conformance.counting import assert_counts
from tests.conformance.store import DAY, HOUR, MINUTE, Store, ever, fold, purge
from tests.facts import NOON, RecordFactory

LATER = NOON + HOUR
"""When a minute of NOON is long due."""
ROWS = 7
"""A step's bound, so small that a minute takes many."""


class Thinning:
    def test_bare_rejections_go_and_their_counts_stay(self, store: Store, make: RecordFactory) -> None:
        whole, bare = flood(make, 20), flood(make, 30)
        add(store, whole, [])
        add(store, bare, bare)
        fold(store)

        thin(store, LATER)

        assert {record.record_id for record in left(store)} == {record.record_id for record in whole}
        assert_counts(ever(store), [*whole, *bare])
        assert_agrees(store)

    def test_counts_agree_after_each_step_folded_or_not(self, store: Store, make: RecordFactory) -> None:
        for at in (NOON, NOON + MINUTE):
            records = [*flood(make, 15, at), make(at=at), *flood(make, 15, at, endpoint="refunds")]
            add(store, records, records[5:15] + records[20:])
        assert_agrees(store)

        steps = 0
        while store.writer.thin(to_us(LATER), ROWS):
            steps += 1
            assert_agrees(store)
            if steps == 4:
                fold(store)

        assert steps > 2 * 30 // ROWS
        assert len(left(store)) == 2 * (5 + 1 + 4)

    def test_nothing_is_thinned_before_its_time(self, store: Store, make: RecordFactory) -> None:
        records = flood(make, 10)
        add(store, records, records)

        assert not store.writer.thin(to_us(NOON + 10 * MINUTE), 100)
        assert len(left(store)) == 10
        assert thin(store, NOON + 11 * MINUTE) > 0
        assert left(store) == []

    def test_copies_of_what_was_thinned_are_refused_and_of_what_was_not_are_known(
        self, store: Store, make: RecordFactory
    ) -> None:
        whole, bare = flood(make, 3), flood(make, 4)
        other = make(Outcome.SUCCEEDED)
        add(store, [*whole, *bare, other], bare)
        thin(store, LATER)

        again = add(store, [*bare, other, *whole], bare)

        assert (again.accepted, again.duplicates, list(again.too_old)) == (0, 4, [0, 1, 2, 3])
        assert_counts(ever(store), [*whole, *bare, other])
        assert_agrees(store)

    def test_rejections_of_other_minutes_routes_and_outcomes_are_taken(
        self, store: Store, make: RecordFactory
    ) -> None:
        bare = flood(make, 4)
        add(store, bare, bare)
        thin(store, LATER)

        late = [
            make(Outcome.SUCCEEDED),
            *flood(make, 1, NOON + MINUTE),
            *flood(make, 1, endpoint="refunds"),
            *flood(make, 1, environment="dev"),
        ]
        assert add(store, late, late[1:]).accepted == 4
        thin(store, LATER)
        assert_agrees(store)
        assert [record.outcome for record in left(store)] == [Outcome.SUCCEEDED]

    def test_a_place_that_only_received_is_not_closed(self, store: Store, make: RecordFactory) -> None:
        """A thinned record counts in the minute of its receipt too; that closes no other record's minute."""
        bare = flood(make, 3, NOON + MINUTE, received_at=NOON, http_status=None, ack_ms=None)
        add(store, bare, bare)
        thin(store, LATER)

        assert add(store, flood(make, 2, NOON), []).accepted == 2
        assert_agrees(store)

    def test_late_bare_rows_of_a_minute_begun_are_thinned_too(
        self, store: Store, make: RecordFactory
    ) -> None:
        bare = flood(make, 20)
        add(store, bare, bare)
        assert store.writer.thin(to_us(LATER), ROWS)
        before = [
            replace(record, record_id=make().record_id) for record in flood(make, 5, endpoint="refunds")
        ]
        add(store, before, before)

        thin(store, LATER + HOUR)

        assert left(store) == []
        assert_agrees(store)

    def test_what_was_thinned_goes_below_the_floor(self, store: Store, make: RecordFactory) -> None:
        early, late = flood(make, 5, NOON - DAY), flood(make, 6, NOON)
        add(store, [*early, *late], [*early, *late])
        fold(store)
        thin(store, LATER)

        purge(store, NOON)
        store.writer.prune()

        assert add(store, [*early, *late], []).accepted == 0
        assert_counts(ever(store), [*early, *late])
        assert_agrees(store)
        recounted = store.reader.recount(to_us(NOON - 2 * DAY), to_us(LATER))
        assert {at for _, at in recounted} == {to_us(NOON)}


def flood(make: RecordFactory, size: int, at: datetime = NOON, **given: object) -> list[Record]:
    return [make.delivery(Outcome.REJECTED, at + timedelta(milliseconds=n), **given) for n in range(size)]


def add(store: Store, records: Sequence[Record], bare: Sequence[Record]) -> Appended:
    return store.fill.add(records, bare=bare)


def thin(store: Store, at: datetime) -> int:
    steps = 0
    while store.writer.thin(to_us(at), ROWS):
        steps += 1
    return steps


def left(store: Store) -> list[Record]:
    return list(pages(store.reader, RecordFilter(), 100))


def assert_agrees(store: Store) -> None:
    found = verify(store.reader, NOON - 2 * DAY, NOON + DAY)
    assert list(found.differences) == []
    assert found.places > 0
