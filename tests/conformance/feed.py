"""What the feed must tell control: each record it waits for, once, in an order that nothing can precede."""

from functools import partial

from monitor.model import Outcome, Record
from tests.conformance.store import (
    DAY,
    HOUR,
    MINUTE,
    Store,
    at_once,
    meanwhile,
    newest_first,
    purge,
    read_feed,
    read_marks,
)
from tests.facts import NOON, Captured, Filled, RecordFactory


class Feed:
    def test_the_feed_tells_in_order_of_commit(self, store: Store, make: RecordFactory) -> None:
        dead = [make(Outcome.DEAD_LETTERED, NOON - i * MINUTE) for i in range(5)]
        for record in dead:
            store.fill.add([make(), record, make(Outcome.UNHANDLED)])

        told = read_feed(store, 2)

        assert told == dead

    def test_the_feed_tells_of_replays_and_of_each_record_once(
        self, store: Store, make: RecordFactory
    ) -> None:
        replayed = make(replay_id="rep_1")
        store.fill.add([make(), replayed])
        store.fill.add([replayed])

        assert read_feed(store, 10) == [replayed]

    def test_the_feed_carries_the_sealed_capture(self, store: Store, make: RecordFactory) -> None:
        accepted = make.delivery(Outcome.ACCEPTED, event_id="evt_x")
        dead = make(Outcome.DEAD_LETTERED, event_id="evt_x")
        store.fill.captures = {accepted.record_id: Captured(b"sealed", redacted=True)}
        store.fill.add([accepted])
        store.fill.add([dead, make(Outcome.DEAD_LETTERED)])

        rows = store.reader.feed(0, 0, 10)

        assert [(row.sealed_capture, row.capture_redacted) for row in rows] == [
            (b"sealed", True),
            (None, False),
        ]

    def test_the_feed_passes_over_purged_records(self, store: Store, make: RecordFactory) -> None:
        old = [make(Outcome.DEAD_LETTERED, NOON) for _ in range(5)]
        new = make(Outcome.DEAD_LETTERED, NOON + DAY)
        store.fill.add([*old, new])
        purge(store, NOON + HOUR)

        assert read_feed(store, 2) == [new]

    def test_a_transaction_that_commits_late_is_not_passed_over(
        self, store: Store, make: RecordFactory
    ) -> None:
        """Control goes on from its mark and never back, so nothing may appear before what it was told."""
        known, late, early = (make(Outcome.DEAD_LETTERED) for _ in range(3))
        store.fill.add([known])
        with store.committing_late(late):
            store.fill.add([early])
            told = read_marks(store, 10)
        after = read_feed(store, 10, (told[-1].xid, told[-1].seq))

        assert told[0].record == known
        assert sorted(r.event_id or "" for r in [*(row.record for row in told), *after]) == sorted(
            r.event_id or "" for r in (known, late, early)
        )
        assert read_feed(store, 1)[: len(told)] == [row.record for row in told]

    def test_a_row_stands_for_the_failures_that_were_inserted(
        self, store: Store, make: RecordFactory
    ) -> None:
        """What a receiver sends twice is counted once, whichever part of the group was known."""
        failed = [make(Outcome.FAILED, NOON + i * MINUTE) for i in range(5)]
        store.fill.add([failed[1], make(), failed[4]])
        store.fill.add([make(), *failed])
        store.fill.add(failed)

        rows = store.reader.feed(0, 0, 10)

        assert [(row.record, row.records) for row in rows] == [(failed[4], 2), (failed[3], 3)]

    def test_the_feed_of_many_writers_tells_of_each_record_once(
        self, store: Store, make: RecordFactory
    ) -> None:
        writers = store.writers(4)
        dead = [[make(Outcome.DEAD_LETTERED) for _ in range(30)] for _ in writers]
        told: list[Record] = []
        mark = (0, 0)

        def follow() -> None:
            nonlocal mark
            for row in store.reader.feed(*mark, 7):
                told.append(row.record)
                mark = (row.xid, row.seq)

        def append(fill: Filled, records: list[Record]) -> None:
            for record in records:
                fill.add([record])

        with meanwhile(follow):
            at_once(*(partial(append, fill, records) for fill, records in zip(writers, dead, strict=True)))
        told += read_feed(store, 50, mark)

        assert newest_first(told) == newest_first(record for records in dead for record in records)
