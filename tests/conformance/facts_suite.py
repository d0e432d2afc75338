"""What every facts store must do, as tests. A store's own test file subclasses FactsSuite and gives `store`.

Expectations are counted here from the records themselves, record by record, without the product's folding.
"""

import math
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from monitor.clock import to_us
from monitor.histogram import RELATIVE_ERROR
from monitor.model import (
    ATTEMPTS,
    DEFAULT_ENVIRONMENT,
    OUTCOMES,
    TROUBLED,
    Duration,
    Grain,
    Outcome,
    ProbeKind,
    Reason,
    Record,
    SeriesKey,
)
from monitor.rollup import Rollup
from monitor.store.facts.protocol import ClientCounts, FactReader, FactWriter, Parts, RecordFilter, pages
from tests.facts import NOON, Captured, Filled, RecordFactory, mixed, route_of, uuid7

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERYTHING = SeriesKey(DEFAULT_ENVIRONMENT)
PAYMENTS = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "payments")


@dataclass(slots=True)
class Store:
    """One empty store, opened for writing and for reading."""

    writer: FactWriter
    reader: FactReader
    fill: Filled


@pytest.fixture
def make() -> RecordFactory:
    return RecordFactory()


@pytest.fixture
def many() -> list[Record]:
    """600 records of every kind over two days and a bit, some hours empty."""
    return [
        *mixed(300, 1, start=NOON - DAY, over=2 * HOUR),
        *mixed(200, 2, start=NOON - 90 * MINUTE, over=3 * HOUR),
        *mixed(100, 3, start=NOON + DAY, over=MINUTE),
    ]


class FactsSuite:
    # -- appending

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

    # -- the floor

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

    # -- rollups

    @pytest.mark.parametrize("folded", [0, 1, 2], ids=["unfolded", "half folded", "folded"])
    @pytest.mark.parametrize("grain", [Grain.MINUTE, Grain.HOUR, Grain.DAY])
    def test_series_at_each_grain_count_every_record(
        self, store: Store, many: list[Record], grain: Grain, folded: int
    ) -> None:
        fill_in_parts(store, many, folded)
        keys = {key for record in many for key in lineage(route_of(record))}

        found = store.reader.rollups(list(keys), grain, to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY))

        width = timedelta(minutes=grain.minutes)
        for key in keys:
            own = of_series(many, key)
            for start_us, rollup in found[key].items():
                inside = [r for r in own if start_us <= to_us(r.recorded_at) < start_us + us(width)]
                assert_counts(rollup, inside)
            assert sum(rollup.records() for rollup in found[key].values()) == len(own)

    @pytest.mark.parametrize("folded", [0, 1, 2], ids=["unfolded", "half folded", "folded"])
    def test_rollups_and_deltas_are_a_recount(self, store: Store, many: list[Record], folded: int) -> None:
        fill_in_parts(store, many, folded)
        start_us, end_us = to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY)

        keys = list(store.reader.series().values())
        counted = store.reader.rollups(keys, Grain.MINUTE, start_us, end_us)
        recounted = store.reader.recount(start_us, end_us)

        assert {(key, at): r for key, found in counted.items() for at, r in found.items()} == recounted
        assert len(recounted) > 100

    def test_a_recount_takes_only_its_range(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)
        start, end = NOON - 10 * MINUTE, NOON + 10 * MINUTE

        recounted = store.reader.recount(to_us(start), to_us(end))

        whole = store.reader.rollups([EVERYTHING], Grain.MINUTE, to_us(start), to_us(end))[EVERYTHING]
        assert {at: r for (key, at), r in recounted.items() if key == EVERYTHING} == whole

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (NOON - 2 * DAY, NOON + 2 * DAY),
            (NOON - DAY + 7 * MINUTE, NOON + DAY + MINUTE),
            (NOON - DAY + 61 * MINUTE, NOON - 30 * MINUTE),
            (NOON - 5 * MINUTE, NOON + 5 * MINUTE),
            (NOON.replace(hour=0), NOON.replace(hour=0) + DAY),
        ],
    )
    @pytest.mark.parametrize("folded", [0, 1, 2], ids=["unfolded", "half folded", "folded"])
    def test_a_total_is_exact_between_any_minutes(
        self, store: Store, many: list[Record], start: datetime, end: datetime, folded: int
    ) -> None:
        fill_in_parts(store, many, folded)
        keys = [EVERYTHING, SeriesKey(DEFAULT_ENVIRONMENT, "stripe"), PAYMENTS]

        found = store.reader.total(keys, to_us(start), to_us(end))

        inside = [record for record in many if start <= record.recorded_at < end]
        for key in keys:
            assert_counts(found.get(key, Rollup()), of_series(inside, key))

    def test_a_total_of_no_time_is_empty(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON)])

        assert store.reader.total([EVERYTHING], to_us(NOON), to_us(NOON)) == {}

    def test_silent_and_unknown_series_are_left_out(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON)])
        unknown = SeriesKey(DEFAULT_ENVIRONMENT, "nobody")
        span = (to_us(NOON), to_us(NOON + MINUTE))

        assert set(store.reader.total([EVERYTHING, unknown], *span)) == {EVERYTHING}
        assert set(store.reader.rollups([EVERYTHING, unknown], Grain.MINUTE, *span)) == {EVERYTHING}
        assert store.reader.total([EVERYTHING], to_us(NOON + HOUR), to_us(NOON + 2 * HOUR)) == {}

    def test_steps_are_the_sum_of_their_buckets(self, store: Store, many: list[Record]) -> None:
        fill_in_parts(store, many, 1)
        start, end = NOON - 90 * MINUTE, NOON + 90 * MINUTE

        steps = store.reader.rollups([EVERYTHING], Grain.MINUTE, to_us(start), to_us(end), 15)[EVERYTHING]

        for at_us, rollup in steps.items():
            assert at_us % us(15 * MINUTE) == 0
            stop = at_us + us(15 * MINUTE)
            assert_counts(rollup, [r for r in many if at_us <= to_us(r.recorded_at) < stop])
        assert sum(rollup.records() for rollup in steps.values()) == 200

    def test_distributions_answer_quantiles_within_their_error(
        self, store: Store, many: list[Record]
    ) -> None:
        fill_in_parts(store, many, 1)
        found = ever(store).distribution(Duration.PROCESS)

        taken = sorted(r.process_ms for r in many if counts_process(r) and r.process_ms is not None)
        assert found.count == len(taken)
        assert found.mean() == pytest.approx(sum(taken) / len(taken))
        for q in (0.5, 0.95, 0.99):
            exact = taken[max(1, math.ceil(q * len(taken))) - 1]
            assert found.quantile(q) == pytest.approx(exact, rel=RELATIVE_ERROR * 1.01)

    @pytest.mark.parametrize("folded", [0, 2], ids=["unfolded", "folded"])
    def test_only_the_parts_asked_for_are_read(self, store: Store, many: list[Record], folded: int) -> None:
        fill_in_parts(store, many, folded)
        start_us, end_us = to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY)
        parts = Parts((Duration.ACK,), exemplars=False)

        found = [
            store.reader.ever([EVERYTHING], parts)[EVERYTHING],
            store.reader.total([EVERYTHING], start_us, end_us, parts)[EVERYTHING],
            *store.reader.rollups([EVERYTHING], Grain.EVER, 0, 1, 1, parts)[EVERYTHING].values(),
        ]

        whole = ever(store)
        assert len(found) == 3
        for rollup in found:
            assert rollup.counts == whole.counts
            assert rollup.distribution(Duration.ACK) == whole.distribution(Duration.ACK)
            assert rollup.distribution(Duration.PROCESS).count == 0
            assert (rollup.exemplars.slowest, dict(rollup.exemplars.failures)) == (None, {})

    def test_exemplars_name_the_slowest_attempt_and_the_latest_failures(
        self, store: Store, many: list[Record]
    ) -> None:
        fill_in_parts(store, many, 1)
        found = ever(store)

        slow = max((r for r in many if counts_process(r)), key=lambda r: (r.process_ms or 0, r.record_id))
        assert found.exemplars.slowest == (round((slow.process_ms or 0) * 1000), slow.record_id.bytes)
        latest = {}
        for record in sorted(many, key=lambda r: r.record_id):
            if record.error_class and is_ordinary(record):
                latest[record.source, record.endpoint, record.error_class] = record.record_id.bytes
        assert sorted(found.exemplars.failures.values()) == sorted(latest.values())

    def test_errors_have_names(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)
        errors = ever(store).errors()
        names = store.reader.error_names(list(errors))

        by_name: Counter[str] = Counter()
        for code, n in errors.items():
            by_name[names[code]] += n
        assert by_name == Counter(r.error_class for r in many if r.error_class and is_ordinary(r))

    def test_last_seen_is_the_newest_minute(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON), make(at=NOON - HOUR, endpoint="refunds")])
        store.writer.fold()
        store.fill.add([make(at=NOON + 90 * MINUTE)])
        refunds = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "refunds")
        silent = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "silent")

        found = store.reader.last_seen([PAYMENTS, refunds, silent])

        assert found == {PAYMENTS: to_us(NOON + 90 * MINUTE), refunds: to_us(NOON - HOUR)}

    def test_every_name_is_a_series(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(), make(environment="dev", source="orum")])

        assert set(store.reader.series("production").values()) == set(
            lineage(SeriesKey("production", "stripe", "payments", "invoice.paid"))
        )
        assert len(store.reader.series()) == 8

    # -- paging

    def test_pages_show_every_record_once_newest_first(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)

        found = list(pages(store.reader, RecordFilter(), 17))

        assert found == newest_first(many)

    @pytest.mark.parametrize(
        "wanted",
        [
            RecordFilter(environment="production"),
            RecordFilter(source="stripe"),
            RecordFilter(source="stripe", endpoint="refunds"),
            RecordFilter(event_type="invoice.voided"),
            RecordFilter(environment="production", source="orum", event_type="invoice.paid"),
            *(RecordFilter(outcomes=(outcome,)) for outcome in OUTCOMES),
            RecordFilter(outcomes=(Outcome.FAILED, Outcome.DEAD_LETTERED)),
            RecordFilter(outcomes=(Outcome.FAILED, Outcome.DEAD_LETTERED), source="orum"),
            RecordFilter(outcomes=(Outcome.SUCCEEDED, Outcome.FAILED), endpoint="payments"),
            RecordFilter(outcomes=TROUBLED),
            RecordFilter(error_class="KeyError"),
            RecordFilter(error_class="KeyError", outcomes=(Outcome.FAILED,), source="stripe"),
            RecordFilter(since_us=to_us(NOON)),
            RecordFilter(until_us=to_us(NOON)),
            RecordFilter(since_us=to_us(NOON - HOUR), until_us=to_us(NOON + HOUR), source="stripe"),
            RecordFilter(outcomes=(Outcome.REJECTED,), since_us=to_us(NOON - HOUR), until_us=to_us(NOON)),
        ],
        ids=repr,
    )
    def test_each_filter_finds_exactly_its_records(
        self, store: Store, many: list[Record], wanted: RecordFilter
    ) -> None:
        store.fill.add(many)

        found = list(pages(store.reader, wanted, 10))

        expected = [record for record in newest_first(many) if matches(wanted, record)]
        assert found == expected
        assert 0 < len(found) < len(many) or wanted.environment

    @pytest.mark.parametrize(
        "wanted",
        [
            RecordFilter(source="nobody"),
            RecordFilter(source="orum", endpoint="payments"),
            RecordFilter(error_class="Unheard"),
            RecordFilter(since_us=to_us(NOON), until_us=to_us(NOON)),
            RecordFilter(environment="dev"),
        ],
        ids=repr,
    )
    def test_a_filter_that_nothing_fits_gives_an_empty_last_page(
        self, store: Store, many: list[Record], wanted: RecordFilter
    ) -> None:
        store.fill.add(many)

        page = store.reader.page(wanted, 10)

        assert (list(page.records), page.next_before) == ([], None)

    def test_the_last_full_page_has_no_next(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make() for _ in range(10)])

        page = store.reader.page(RecordFilter(), 10)

        assert (len(page.records), page.next_before) == (10, None)

    def test_records_that_arrive_while_paging_move_nothing(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make() for _ in range(10)])
        first = store.reader.page(RecordFilter(), 5)
        store.fill.add([make(at=NOON + MINUTE) for _ in range(10)])

        second = store.reader.page(RecordFilter(), 5, first.next_before)

        numbers = [record.event_id for record in (*first.records, *second.records)]
        assert numbers == [f"evt_{n}" for n in range(10, 0, -1)]

    # -- one event

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

    # -- feed

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

    # -- samples, probes, heartbeats, clients

    def test_queue_samples_come_oldest_first_within_their_range(self, store: Store) -> None:
        payments, refunds = endpoint_codes(store, "payments", "refunds")
        rows = [
            (payments, "inbox", to_us(NOON), 5, 1_500_000),
            (refunds, "inbox", to_us(NOON - MINUTE), 9, None),
            (payments, "inbox", to_us(NOON - 2 * MINUTE), 4, None),
            (payments, "retries", to_us(NOON + HOUR), 7, None),
        ]
        assert store.writer.append_queues(rows) == 4
        assert store.writer.append_queues(rows) == 0

        found = store.reader.queue_samples(to_us(NOON - 2 * MINUTE), to_us(NOON + MINUTE))

        assert [(s.endpoint, s.queue, s.depth, s.oldest_age_s) for s in found] == [
            ("payments", "inbox", 4, None),
            ("refunds", "inbox", 9, None),
            ("payments", "inbox", 5, 1.5),
        ]
        assert {(s.environment, s.source) for s in found} == {("production", "stripe")}

    def test_the_latest_sample_of_each_queue_is_not_older_than_the_bound(self, store: Store) -> None:
        payments, refunds = endpoint_codes(store, "payments", "refunds")
        store.writer.append_queues(
            [(payments, "inbox", to_us(NOON + i * MINUTE), i, None) for i in range(5)]
            + [(payments, "retries", to_us(NOON), 9, None), (refunds, "inbox", to_us(NOON - HOUR), 1, None)]
        )

        found = store.reader.latest_queue_samples(to_us(NOON))

        assert sorted((s.endpoint, s.queue, s.depth) for s in found) == [
            ("payments", "inbox", 4),
            ("payments", "retries", 9),
        ]

    def test_probe_results_come_by_kind_oldest_first(self, store: Store) -> None:
        payments, refunds = endpoint_codes(store, "payments", "refunds")
        ends = NOON + 30 * DAY
        rows: list[tuple[object, ...]] = [
            (payments, "http", to_us(NOON + MINUTE), 0, 503, 1_500, "HTTP 503", None, None, None),
            (refunds, "http", to_us(NOON), 1, 200, 20_500, None, None, None, None),
            (payments, "tls", to_us(NOON), 0, None, None, "expired", to_us(ends), "CN=a", "CN=ca"),
            (payments, "http", to_us(NOON + HOUR), 1, 200, 1_000, None, None, None, None),
        ]
        assert store.writer.append_probes(rows) == 4
        assert store.writer.append_probes(rows) == 0

        http = store.reader.probe_results(ProbeKind.HTTP, to_us(NOON), to_us(NOON + HOUR))
        tls = store.reader.probe_results(ProbeKind.TLS, to_us(NOON), to_us(NOON + HOUR))

        assert [(p.endpoint, p.ok, p.http_status, p.latency_ms, p.error) for p in http] == [
            ("refunds", True, 200, 20.5, None),
            ("payments", False, 503, 1.5, "HTTP 503"),
        ]
        assert [(p.cert_not_after, p.cert_subject, p.cert_issuer, p.latency_ms) for p in tls] == [
            (ends, "CN=a", "CN=ca", None)
        ]

    def test_the_heartbeat_is_the_latest_of_any_collector(self, store: Store) -> None:
        assert store.reader.heartbeat_us() is None
        store.writer.heartbeat("a", to_us(NOON + MINUTE))
        store.writer.heartbeat("b", to_us(NOON))

        assert store.reader.heartbeat_us() == to_us(NOON + MINUTE)

    def test_client_counts_are_the_largest_of_each_start(self, store: Store) -> None:
        def said(produced: int, seen: datetime, **given: object) -> ClientCounts:
            counts = ClientCounts(
                "shop", "1.0", "pod-1", to_us(NOON), to_us(seen), 250, produced, 1, {"full": 2}, {"depth": 3}
            )
            return replace(counts, **given)  # type: ignore[arg-type]

        store.fill.add([], client=said(50, NOON + HOUR))
        store.fill.add([], client=said(40, NOON, dropped={"full": 1, "late": 5}))
        store.fill.add([], client=said(7, NOON - 2 * DAY, instance="pod-0"))

        assert store.reader.clients(to_us(NOON)) == [
            replace(said(50, NOON + HOUR), dropped={"full": 2, "late": 5})
        ]

    # -- stuck

    def test_accepted_deliveries_without_an_end_are_stuck(self, store: Store, make: RecordFactory) -> None:
        received = NOON - 30 * MINUTE
        open_one = make.delivery(Outcome.ACCEPTED, received, received_at=received)
        ended = make.delivery(Outcome.ACCEPTED, received, received_at=received)
        fresh = make.delivery(Outcome.ACCEPTED, NOON, received_at=NOON)
        tried = make(Outcome.FAILED, NOON, event_id=open_one.event_id, received_at=received)
        done = make(Outcome.SUCCEEDED, NOON, event_id=ended.event_id, received_at=received)
        store.fill.add([open_one, ended, fresh])
        store.writer.fold()
        store.fill.add([tried, done])

        assert store.reader.stuck("production", to_us(NOON - 15 * MINUTE), to_us(NOON - DAY)) == {PAYMENTS: 1}
        assert store.reader.stuck("dev", to_us(NOON), to_us(NOON - DAY)) == {}

    # -- the store itself

    def test_a_store_has_a_lasting_name(self, store: Store) -> None:
        assert store.reader.store_id() == store.reader.store_id() != ""

    def test_used_bytes_grow_with_records(self, store: Store, make: RecordFactory) -> None:
        before = store.reader.used_bytes()
        store.fill.add([make(error_message="x" * 500) for _ in range(1000)])

        assert store.reader.used_bytes() > before + 400_000


# -- counting by hand


def lineage(key: SeriesKey) -> list[SeriesKey]:
    """The key and all above it."""
    found = [key]
    while (parent := found[-1].parent) is not None:
        found.append(parent)
    return found


def of_series(records: Iterable[Record], key: SeriesKey) -> list[Record]:
    return [record for record in records if key in lineage(route_of(record))]


def is_ordinary(record: Record) -> bool:
    return record.replay_id is None and not record.canary


def counts_process(record: Record) -> bool:
    return is_ordinary(record) and record.outcome in ATTEMPTS and record.process_ms is not None


def assert_counts(rollup: Rollup, records: Sequence[Record]) -> None:
    """The rollup says of these records what counting them one by one says."""
    ordinary = [record for record in records if is_ordinary(record)]
    canaries = [record for record in records if record.canary]
    replays = [record for record in records if record.replay_id is not None and not record.canary]
    for kind, counted in enumerate((ordinary, replays, canaries)):
        expected = Counter(record.outcome for record in counted)
        assert {o: rollup.outcome(o, kind) for o in OUTCOMES if rollup.outcome(o, kind)} == expected
    assert rollup.records() == len(records)
    answered = [record for record in ordinary if record.http_status is not None]
    assert rollup.statuses() == Counter(record.http_status for record in answered)
    rejected = [record.http_status for record in answered if record.outcome is Outcome.REJECTED]
    assert rollup.statuses(rejected=True) == Counter(rejected)
    reasons: Counter[Reason] = Counter(record.reason for record in ordinary if record.reason)
    assert rollup.reasons() == reasons
    assert sum(rollup.errors().values()) == sum(record.error_class is not None for record in ordinary)
    assert_durations(rollup, ordinary)


def assert_durations(rollup: Rollup, ordinary: Sequence[Record]) -> None:
    attempts = [record for record in ordinary if record.outcome in ATTEMPTS]
    answered = [record for record in ordinary if record.http_status is not None]
    for kind, taken in {
        Duration.ACK: [record.ack_ms for record in answered],
        Duration.QUEUE: [record.queue_ms for record in attempts],
        Duration.PROCESS: [record.process_ms for record in attempts],
        Duration.VERIFY: [record.verify_ms for record in ordinary],
        Duration.LATENCY: [record.latency_ms for record in ordinary],
    }.items():
        exact = [round(ms * 1000) for ms in taken if ms is not None]
        found = rollup.distribution(kind)
        assert (found.count, found.sum_us) == (len(exact), sum(exact))
        assert (found.min_us, found.max_us) == (min(exact, default=None), max(exact, default=None))


def matches(wanted: RecordFilter, record: Record) -> bool:
    return (
        wanted.environment in (None, record.environment)
        and wanted.source in (None, record.source)
        and wanted.endpoint in (None, record.endpoint)
        and wanted.event_type in (None, record.event_type)
        and (not wanted.outcomes or record.outcome in wanted.outcomes)
        and wanted.error_class in (None, record.error_class)
        and (wanted.since_us is None or to_us(record.recorded_at) >= wanted.since_us)
        and (wanted.until_us is None or to_us(record.recorded_at) < wanted.until_us)
    )


# -- doing


def newest_first(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.record_id, reverse=True)


def fill_in_parts(store: Store, records: Sequence[Record], folded: int) -> None:
    """Stores the records in three batches; folded: 0 none, 1 all but the last, 2 all."""
    third = len(records) // 3
    for part in (records[:third], records[third : 2 * third], records[2 * third :]):
        if folded == 1:
            fold(store)
        store.fill.add(part)
    if folded == 2:
        fold(store)


def fold(store: Store) -> None:
    while store.writer.fold():
        pass


def purge(store: Store, floor: datetime, rows: int = 1000) -> None:
    while store.writer.raise_floor(to_us(floor), rows):
        pass


def ever(store: Store) -> Rollup:
    return store.reader.ever([EVERYTHING])[EVERYTHING]


def series(
    store: Store, key: SeriesKey, grain: Grain, start: datetime, end: datetime
) -> dict[datetime, Rollup]:
    found = store.reader.rollups([key], grain, to_us(start), to_us(end))[key]
    return {start + timedelta(microseconds=at_us - to_us(start)): rollup for at_us, rollup in found.items()}


def read_feed(store: Store, limit: int) -> list[Record]:
    """All records the feed tells of, `limit` a read, from the beginning."""
    found: list[Record] = []
    mark = (0, 0)
    while rows := store.reader.feed(*mark, limit):
        assert len(rows) <= limit
        found += [row.record for row in rows]
        mark = (rows[-1].xid, rows[-1].seq)
    return found


def endpoint_codes(store: Store, *endpoints: str) -> list[int]:
    keys = [SeriesKey(DEFAULT_ENVIRONMENT, "stripe", endpoint) for endpoint in endpoints]
    codes = store.writer.intern_series(keys, to_us(NOON))
    return [codes[key] for key in keys]


def us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


__all__ = ["FactsSuite", "Store", "make", "many"]
