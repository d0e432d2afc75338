"""What the feed must tell control: each record it waits for, once, in an order that nothing can precede."""

from monitor.model import Outcome
from tests.conformance.store import DAY, HOUR, MINUTE, Store, purge, read_feed
from tests.facts import NOON, Captured, RecordFactory


class Feed:
    def test_the_feed_tells_in_order_of_commit(self, store: Store, make: RecordFactory) -> None:
        dead = [make(Outcome.DEAD_LETTERED, NOON - i * MINUTE) for i in range(5)]
        for record in dead:
            store.fill.add([make(), record, make(Outcome.FAILED)])

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
