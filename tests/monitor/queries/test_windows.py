"""The rules are shown what the facts hold."""

from datetime import timedelta

import pytest

from alerts.model import ErrorCount, Observations, ProbeKind, Target
from alerts.rules import make as make_rule
from monitor.clock import to_us
from monitor.model import Outcome, Reason, SeriesKey
from monitor.queries.windows import StoredObservations
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory

MINUTE = timedelta(minutes=1)
PAYMENTS = Target("production", "stripe", "payments")


def seen(reader: SqliteFactReader, *registered: SeriesKey) -> Observations:
    return StoredObservations(reader, NOON, registered)


def code_of(fill: Filled, endpoint: str) -> int:
    key = SeriesKey("production", "stripe", endpoint)
    return fill.writer.intern_series([key], to_us(NOON))[key]


def test_a_window_holds_counts_distributions_and_evidence(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    slow = make.delivery(at=NOON - 3 * MINUTE, process_ms=900.0)
    failures = [make(Outcome.FAILED, NOON - i * MINUTE) for i in (5, 4)]
    dead = make(Outcome.DEAD_LETTERED, NOON - MINUTE, error_class="LedgerError")
    forged = make.delivery(Outcome.REJECTED, NOON - MINUTE, reason=Reason.UNKNOWN_KEY)
    limited = make.delivery(Outcome.REJECTED, NOON - MINUTE, reason=Reason.RATE_LIMITED, http_status=429)
    fill.add([slow, *failures, dead, forged, limited])
    fill.add(
        [make(Outcome.FAILED, NOON - MINUTE, replay_id="rep_1"), make(Outcome.FAILED, NOON - 20 * MINUTE)]
    )

    window = seen(reader).window(PAYMENTS, NOON - 15 * MINUTE, NOON)

    assert (window.succeeded, window.failed, window.dead_lettered, window.attempts) == (1, 2, 1, 4)
    assert (window.deliveries, window.statuses) == (3, {"2xx": 1, "4xx": 2})
    assert window.verification_failures == {"unknown_key": 1}
    assert window.top_errors == [ErrorCount("TimeoutError", 2), ErrorCount("LedgerError", 1)]
    assert window.slow_exemplars == [str(slow.record_id)]
    assert window.failure_exemplars == [str(dead.record_id), str(failures[1].record_id)]
    assert window.process_ms.count == 4
    assert window.process_ms.share_above(500.0) == pytest.approx(0.25)
    assert window.ack_ms.quantile(0.99) == pytest.approx(30.0, rel=0.03)


@pytest.mark.parametrize("into_minute_s", [0, 1, 30, 59])
def test_a_window_never_looks_back_less_than_it_says(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory, into_minute_s: int
) -> None:
    now = NOON + timedelta(seconds=into_minute_s)
    fill.add([make(Outcome.FAILED, now - 50 * timedelta(seconds=1))])

    window = seen(reader).window(PAYMENTS, now - MINUTE, now)

    assert window.failed == 1


def test_a_silent_window_is_empty(fill: Filled, reader: SqliteFactReader, make: RecordFactory) -> None:
    fill.add([make(at=NOON - 60 * MINUTE)])

    window = seen(reader).window(PAYMENTS, NOON - 15 * MINUTE, NOON)

    assert (window.attempts, window.deliveries, window.process_ms.quantile(0.5)) == (0, 0, None)


def test_a_rule_looks_at_each_endpoint_of_its_environment_silent_ones_too(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(), make(endpoint="refunds"), make(source="orum"), make(environment="dev")])
    silent = SeriesKey("production", "stripe", "silent")

    found = seen(reader, silent).targets(make_rule("error_rate", source="str*"))

    assert found == [
        PAYMENTS,
        Target("production", "stripe", "refunds"),
        Target("production", "stripe", "silent"),
    ]


def test_a_rule_for_types_looks_at_each_type(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(), make(Outcome.FAILED, event_type="invoice.voided"), make(event_type="payout")])
    observed = seen(reader)

    found = observed.targets(make_rule("error_rate", event_type="invoice.*"))

    assert [target.event_type for target in found] == ["invoice.paid", "invoice.voided"]
    windows = [observed.window(target, NOON, NOON + MINUTE) for target in found]
    assert [(window.succeeded, window.failed) for window in windows] == [(1, 0), (0, 1)]


def test_the_latest_sample_of_each_queue_of_the_target_is_seen(
    fill: Filled, reader: SqliteFactReader
) -> None:
    payments, refunds = code_of(fill, "payments"), code_of(fill, "refunds")
    fill.writer.append_queues(
        [
            (payments, "inbox", to_us(NOON - 2 * MINUTE), 5, None),
            (payments, "inbox", to_us(NOON - MINUTE), 7, 2_000_000),
            (payments, "retries", to_us(NOON - MINUTE), 1, None),
            (refunds, "inbox", to_us(NOON - MINUTE), 9, None),
        ]
    )

    found = seen(reader).queues(PAYMENTS)

    assert [(sample.queue, sample.depth, sample.oldest_age_s) for sample in found] == [
        ("inbox", 7, 2.0),
        ("retries", 1, None),
    ]


def test_probes_come_newest_first_with_the_failures_in_a_row(fill: Filled, reader: SqliteFactReader) -> None:
    payments = code_of(fill, "payments")
    went = [False, True, False, False]
    fill.writer.append_probes(
        [
            (
                payments,
                "http",
                to_us(NOON + (i - 9) * MINUTE),
                int(ok),
                200 if ok else None,
                900,
                None,
                None,
                "",
                "",
            )
            for i, ok in enumerate(went)
        ]
    )

    found = seen(reader).probes(PAYMENTS, ProbeKind.HTTP)

    assert [result.consecutive_failures for result in found] == [2, 1, 0, 1]
    assert found[0].checked_at == NOON - 6 * MINUTE
    assert seen(reader).probes(PAYMENTS, ProbeKind.TLS) == []


def test_the_heartbeat_is_the_collectors_last(fill: Filled, reader: SqliteFactReader) -> None:
    assert seen(reader).last_heartbeat_at() is None
    fill.writer.heartbeat("a", to_us(NOON - MINUTE))

    assert seen(reader).last_heartbeat_at() == NOON - MINUTE
