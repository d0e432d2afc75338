"""What a facts store keeps beside records: samples, probes, heartbeats, clients, and what is stuck."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from monitor.clock import to_us
from monitor.model import Outcome, ProbeKind, SeriesKey
from monitor.store.facts.protocol import ClientCounts
from tests.conformance.store import DAY, HOUR, MINUTE, PAYMENTS, SECOND, Store, endpoint_codes
from tests.facts import NOON, RecordFactory


class Samples:
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

    def test_probe_results_of_one_endpoint_are_counted_within_their_range(self, store: Store) -> None:
        payments, refunds = endpoint_codes(store, "payments", "refunds")
        store.writer.append_probes(
            [
                (code, kind, to_us(NOON + n * MINUTE), int(n != 2), None, None, None, None, None, None)
                for code in (payments, refunds)
                for kind in ("http", "tls")
                for n in range(5)
            ]
        )
        count = partial(store.reader.probe_counts, PAYMENTS, ProbeKind.HTTP)
        assert count(to_us(NOON), to_us(NOON + HOUR)) == (4, 5)
        assert count(to_us(NOON + 2 * MINUTE), to_us(NOON + 4 * MINUTE)) == (1, 2)
        assert count(0, to_us(NOON)) == (0, 0)
        nobody = SeriesKey("production", "stripe", "unknown")
        assert store.reader.probe_counts(nobody, ProbeKind.HTTP, 0, to_us(NOON + HOUR)) == (0, 0)

    def test_the_heartbeat_is_the_latest_of_any_collector(self, store: Store) -> None:
        assert store.reader.heartbeat_us() is None
        store.writer.heartbeat("a", to_us(NOON + MINUTE))
        store.writer.heartbeat("b", to_us(NOON))

        assert store.reader.heartbeat_us() == to_us(NOON + MINUTE)
        assert store.reader.heartbeat_us(to_us(NOON + MINUTE)) == to_us(NOON)
        assert store.reader.heartbeat_us(to_us(NOON)) is None

    def test_client_counts_are_the_largest_of_each_start(self, store: Store) -> None:
        def said(produced: int, seen: datetime, **given: object) -> ClientCounts:
            counts = ClientCounts(
                "shop", "1.0", "pod-1", to_us(NOON), to_us(seen), 250, produced, 1, {"full": 2}, {"depth": 3}
            )
            return replace(counts, **given)  # type: ignore[arg-type]

        store.fill.add([], client=said(50, NOON + HOUR))
        store.fill.add([], client=said(40, NOON, dropped={"full": 1, "late": 5}))
        store.fill.add([], client=said(7, NOON - 2 * DAY, instance="pod-0"))

        known = said(50, NOON + HOUR, dropped={"full": 2, "late": 5})
        since = {"depth": 3, "dropped_at_us": to_us(NOON + HOUR)}  # when the losses last grew
        assert store.reader.clients(to_us(NOON)) == [replace(known, state=since)]

    def test_what_was_stored_of_a_client_is_counted_once(self, store: Store, make: RecordFactory) -> None:
        client = ClientCounts("shop", "1.0", "pod-1", 0, to_us(NOON), None, 0, 0, {}, {})
        first, second = [make() for _ in range(5)], [make() for _ in range(3)]
        store.fill.add(first, client=client)
        store.fill.add([*first, *second], client=client)
        store.fill.add([make(), make()], client=replace(client, instance="pod-2"))
        store.fill.add([make()])
        store.fill.add([], client=client)

        counted = {one.instance: (one.accepted, one.duplicates) for one in store.reader.clients(0)}
        assert counted == {"pod-1": (8, 5), "pod-2": (2, 0)}

    def test_what_a_client_spools_is_what_it_said_last(self, store: Store) -> None:
        said = ClientCounts("shop", "1.0", "pod-1", 0, to_us(NOON), None, 10, 7, {}, {})
        late = replace(said, produced=9, spooled=9, seen_at_us=to_us(NOON + SECOND))
        for one in (said, replace(said, produced=12, spooled=0, seen_at_us=to_us(NOON + MINUTE)), late):
            store.fill.add([], client=one)

        (found,) = store.reader.clients(0)
        assert (found.produced, found.spooled) == (12, 0)

    def test_what_was_said_of_types_stands_until_it_is_said_anew(self, store: Store) -> None:
        def said(seen: datetime, *types: tuple[str, str]) -> ClientCounts:
            listed = [
                {
                    "environment": "dev",
                    "source": "acme",
                    "endpoint": endpoint,
                    "handled": [name],
                    "expected": [],
                }
                for endpoint, name in types
            ]
            state = {"depth": 3, "types": listed} if listed else {"depth": 4}
            return ClientCounts("shop", "1.0", "pod-1", 0, to_us(seen), None, 1, 0, {}, state)

        for one in (
            said(NOON, ("a", "x"), ("b", "y")),
            said(NOON + MINUTE),
            said(NOON + 2 * MINUTE, ("b", "z")),
            said(NOON - MINUTE, ("b", "late")),
            said(NOON + HOUR),
        ):
            store.fill.add([], client=one)

        (found,) = store.reader.clients(0)
        types: Any = found.state["types"]
        assert found.state["depth"] == 4
        assert {each["endpoint"]: each["handled"] for each in types} == {"a": ["x"], "b": ["z"]}

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

    def test_each_event_of_a_delivery_of_several_may_be_stuck(
        self, store: Store, make: RecordFactory
    ) -> None:
        received = NOON - 30 * MINUTE
        first = make.delivery(Outcome.ACCEPTED, received, received_at=received)
        others = [make(Outcome.ACCEPTED, received, received_at=received) for _ in range(3)]
        done = [
            make(Outcome.SUCCEEDED, NOON, event_id=each.event_id, received_at=received)
            for each in (first, others[0])
        ]
        store.fill.add([first, *others, *done])

        assert store.reader.stuck("production", to_us(NOON), to_us(NOON - DAY)) == {PAYMENTS: 2}

    # -- the store itself

    def test_a_store_has_a_lasting_name(self, store: Store) -> None:
        assert store.reader.store_id() == store.reader.store_id() != ""

    def test_used_bytes_grow_with_records(self, store: Store, make: RecordFactory) -> None:
        before = store.reader.used_bytes()
        store.fill.add([make(error_message="x" * 500) for _ in range(1000)])

        assert store.reader.used_bytes() > before + 400_000
