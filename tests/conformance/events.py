"""What one event must give: all its records, and the first capture of it."""

from monitor.model import Outcome
from monitor.store.facts.protocol import RecordFilter
from tests.conformance.store import HOUR, MINUTE, Store, purge
from tests.facts import NOON, Captured, RecordFactory


class Events:
    def test_an_event_is_all_its_records_oldest_first(self, store: Store, make: RecordFactory) -> None:
        steps = [
            make.delivery(Outcome.ACCEPTED, NOON, event_id="evt_x"),
            make(Outcome.FAILED, NOON + MINUTE, event_id="evt_x"),
            make(Outcome.SUCCEEDED, NOON + HOUR, event_id="evt_x", attempt=2),
        ]
        for record in reversed(steps):
            store.fill.add([make(), record])

        assert list(store.reader.event("production", "stripe", "evt_x")) == steps

    def test_an_event_belongs_to_its_source_and_environment(self, store: Store, make: RecordFactory) -> None:
        stripe = make(event_id="evt_x")
        orum = make(event_id="evt_x", source="orum", endpoint="transfers")
        dev = make(event_id="evt_x", environment="dev")
        store.fill.add([stripe, orum, dev])

        assert list(store.reader.event("production", "stripe", "evt_x")) == [stripe]
        assert list(store.reader.event(None, "stripe", "evt_x")) == [stripe, dev]
        assert list(store.reader.event("dev", "orum", "evt_x")) == []

    def test_ids_that_share_a_hash_are_told_apart(self, store: Store, make: RecordFactory) -> None:
        # crc32("plumless") == crc32("buckeroo")
        one, other = make(event_id="plumless"), make(event_id="buckeroo")
        store.fill.add([one, other])

        assert list(store.reader.event("production", "stripe", "plumless")) == [one]

    def test_an_event_is_found_across_segments(self, store: Store, make: RecordFactory) -> None:
        first, last = make(event_id="evt_x"), make(event_id="evt_x", at=NOON + HOUR)
        store.fill.add([first])
        for _ in range(4):
            store.fill.add([make() for _ in range(5000)])
        store.fill.add([last])

        assert list(store.reader.event("production", "stripe", "evt_x")) == [first, last]

    def test_an_event_nobody_sent_has_no_records(self, store: Store) -> None:
        assert list(store.reader.event(None, "stripe", "evt_x")) == []

    # -- captures

    def test_a_text_that_no_store_holds_is_not_found(self, store: Store, make: RecordFactory) -> None:
        """The front refuses it, so a reader need not know the records to answer."""
        store.fill.add([make(Outcome.FAILED, event_id="evt_x")])

        assert list(store.reader.event(None, "stripe", "evt_x\0")) == []
        assert store.reader.capture("production", "stripe", "payments", "evt_x\0") is None
        assert list(store.reader.page(RecordFilter(error_class="Timeout\0"), 10).records) == []

    def test_a_capture_is_kept_once_per_event_the_first_wins(self, store: Store, make: RecordFactory) -> None:
        first, second = make(event_id="evt_x"), make(event_id="evt_x")
        store.fill.captures = {
            first.record_id: Captured(b"sealed one", redacted=True),
            second.record_id: Captured(b"sealed two"),
        }
        store.fill.add([first])
        store.fill.add([second])

        assert store.reader.capture("production", "stripe", "payments", "evt_x") == (b"sealed one", True)
        assert store.reader.capture("production", "stripe", "refunds", "evt_x") is None
        assert store.reader.capture("production", "stripe", "payments", "evt_y") is None

    def test_a_duplicate_leaves_no_capture(self, store: Store, make: RecordFactory) -> None:
        record = make(event_id="evt_x")
        store.fill.add([record])
        store.fill.captures = {record.record_id: Captured(b"sealed")}
        store.fill.add([record])

        assert store.reader.capture("production", "stripe", "payments", "evt_x") is None

    def test_captures_go_with_their_records(self, store: Store, make: RecordFactory) -> None:
        record = make(event_id="evt_x")
        store.fill.captures = {record.record_id: Captured(b"sealed")}
        store.fill.add([record])
        purge(store, NOON + HOUR)

        assert store.reader.capture("production", "stripe", "payments", "evt_x") is None
