"""The rules are shown what the facts hold, whichever store holds them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.model import ErrorCount, Observations, ProbeKind, Refusal, Repeats, Stuck, Target, Terms
from alerts.rules import make as make_rule
from monitor.clock import to_us
from monitor.model import Outcome, Reason, Record, SeriesKey
from monitor.queries.repeats import SUCCESSES_ASKED
from monitor.queries.windows import StoredObservations
from monitor.rollup import Rollup
from monitor.store.facts.postgres import setup
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.protocol import WHOLE, Parts
from monitor.store.facts.reading.reader import SqlFactReader
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory, sqlite_facts
from tests.postgres import Postgres, database
from tests.postgres_facts import postgres_facts

MINUTE, HOUR, DAY, WEEK = (timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days", "weeks"))
PAYMENTS = Target("production", "stripe", "payments")
Reader = SqliteFactReader | PostgresFactReader


@pytest.fixture(scope="module")
def facts_url(postgres: Postgres) -> Iterator[str]:
    with database(postgres) as url:
        setup.create(url)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Filled, Reader]]:
    if request.param == "sqlite":
        with sqlite_facts(tmp_path) as both:
            yield both
    else:
        with postgres_facts(request.getfixturevalue("facts_url")) as both:
            yield both


def seen(reader: Reader, *registered: SeriesKey, now: datetime = NOON) -> Observations:
    return StoredObservations(reader, now, registered)


class Counted(SqlFactReader):
    """A reader that counts how often it is asked for totals."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader._snapshot)
        self.totals = 0

    def total(
        self, keys: Sequence[SeriesKey], start_us: int, end_us: int, parts: Parts = WHOLE
    ) -> Mapping[SeriesKey, Rollup]:
        self.totals += 1
        return super().total(keys, start_us, end_us, parts)

    def close(self) -> None: ...


def code_of(fill: Filled, endpoint: str) -> int:
    key = SeriesKey("production", "stripe", endpoint)
    return fill.writer.intern_series([key], to_us(NOON))[key]


def test_a_window_holds_counts_distributions_and_evidence(
    fill: Filled, reader: Reader, make: RecordFactory
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
    assert (window.deliveries, window.answers, window.refusals) == (3, {200: 1}, {401: 1, 429: 1})
    assert window.verification_failures == {"unknown_key": 1}
    assert list(window.top_errors) == [ErrorCount("TimeoutError", 2), ErrorCount("LedgerError", 1)]
    assert list(window.slow_exemplars) == [str(slow.record_id)]
    assert list(window.failure_exemplars) == [str(dead.record_id), str(failures[1].record_id)]
    assert window.process_ms.count == 4
    assert window.process_ms.share_above(500.0) == pytest.approx(0.25)
    assert window.ack_ms.quantile(0.99) == pytest.approx(30.0, rel=0.03)


def test_of_a_window_that_begins_before_the_floor_only_the_minutes_of_its_first_hour_are_missing(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    begins_at = NOON - 3 * DAY - 30 * MINUTE
    fill.add([make(at=begins_at + 10 * MINUTE), make(at=begins_at + 40 * MINUTE), make(at=NOON - MINUTE)])
    fill.writer.fold()
    whole = seen(reader).window(PAYMENTS, begins_at, NOON).succeeded
    while fill.writer.raise_floor(to_us(NOON - DAY), 500):
        pass
    fill.writer.prune()
    assert (whole, seen(reader).window(PAYMENTS, begins_at, NOON).succeeded) == (3, 2)


def test_a_window_tells_what_was_not_tried_apart(fill: Filled, reader: Reader, make: RecordFactory) -> None:
    others = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.STALE, Outcome.UNHANDLED, Outcome.REJECTED)
    fill.add([make.delivery(outcome, NOON - MINUTE) for outcome in others for _ in range(outcome.code)])

    window = seen(reader).window(PAYMENTS, NOON - 15 * MINUTE, NOON)

    counts = (window.accepted, window.duplicates, window.stale, window.unhandled, window.rejected)
    assert counts == tuple(outcome.code for outcome in others)
    assert window.verified == sum(counts) - window.rejected


def test_a_delivery_that_was_tried_before_came_again(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    at = NOON - MINUTE
    fill.add([make.delivery(Outcome.FAILED, at, attempt=n, http_status=500) for n in (1, 2, 3)])
    fill.add([make(Outcome.FAILED, at, attempt=2)])  # tried again here, and not sent again

    assert seen(reader).window(PAYMENTS, NOON - 15 * MINUTE, NOON).redelivered == 2


def test_a_delivery_that_was_signed_long_before_or_after_its_receipt_is_off_time(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    at = NOON - MINUTE
    fill.add(
        [make.delivery(at=at, skew_ms=ms) for ms in (-30_001.0, -30_000.0, None, 0.4, 30_000.0, 30_001.0)]
    )
    fill.add([make.delivery(Outcome.REJECTED, at, skew_ms=9e6), make(at=at, skew_ms=9e6)])

    assert seen(reader).window(PAYMENTS, NOON - 15 * MINUTE, NOON).off_time == 2


def test_windows_of_all_endpoints_are_read_at_once(fill: Filled, reader: Reader, make: RecordFactory) -> None:
    fill.add([make(at=NOON - MINUTE, endpoint=f"e{n}", process_ms=40.0 + n) for n in range(9)])
    counted = Counted(reader)
    observed = StoredObservations(counted, NOON)

    for target in observed.targets(make_rule("error_rate")):
        window = observed.window(target, NOON - 15 * MINUTE, NOON)
        assert window.attempts == 1
    assert counted.totals == 1

    for target in observed.targets(make_rule("error_rate")):
        assert observed.window(target, NOON - 15 * MINUTE, NOON).process_ms.count == 1
    assert counted.totals == 2


def test_the_past_is_the_whole_hours_around_a_time(fill: Filled, reader: Reader, make: RecordFactory) -> None:
    now = NOON + 20 * MINUTE
    for weeks, failed in ((1, 2), (2, 3), (4, 1)):
        early, late = NOON - weeks * WEEK + MINUTE, NOON - weeks * WEEK + 59 * MINUTE
        fill.add([make(Outcome.FAILED, early, error_class="Old") for _ in range(failed)] + [make(at=late)])
        fill.add([make(Outcome.FAILED, NOON - weeks * WEEK - MINUTE)])  # of the hour before

    observed = seen(reader, now=now)
    ends = [now - n * WEEK for n in (1, 2, 3, 4)]
    past = [observed.past(PAYMENTS, end - 15 * MINUTE, end) for end in ends]

    assert [(window.failed, window.attempts) for window in past] == [(2, 3), (3, 4), (0, 0), (1, 2)]
    assert past[0].start_at == NOON - WEEK


def test_a_series_was_first_seen_when_it_was_stored_first(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    key = SeriesKey("production", "stripe", "payments", "invoice.paid")
    fill.now = NOON - DAY
    fill.add([make(at=NOON - 2 * DAY)])
    assert reader.first_seen([key]) == {key: to_us(NOON - DAY)}
    fill.now = NOON
    fill.add([make(at=NOON), make(at=NOON, event_type="payout")])
    later = SeriesKey("production", "stripe", "payments", "payout")
    unknown = SeriesKey("production", "stripe", "never")
    assert reader.first_seen([key, later, unknown]) == {key: to_us(NOON - DAY), later: to_us(NOON)}


def test_the_last_event_is_the_last_that_verified(fill: Filled, reader: Reader, make: RecordFactory) -> None:
    fill.add([make(at=NOON - 50 * MINUTE), make(Outcome.FAILED, NOON - 30 * MINUTE, event_type="payout")])
    fill.add([make.delivery(Outcome.REJECTED, NOON - MINUTE)])
    observed = seen(reader)

    assert observed.last_event_at(PAYMENTS) == NOON - 30 * MINUTE
    assert observed.last_event_at(Target("production", "stripe", "payments", "invoice.paid")) == (
        NOON - 50 * MINUTE
    )
    assert observed.last_event_at(Target("production", "stripe", "never")) is None


def test_what_was_accepted_and_never_ended_is_stuck_with_the_oldest_named(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    def accepted(event: str, ago: timedelta, **given: object) -> Record:
        at = NOON - ago
        return make.delivery(Outcome.ACCEPTED, at, event_id=event, received_at=at, **given)

    lost = accepted("evt_lost", 3 * HOUR)
    done = accepted("evt_done", 3 * HOUR)
    end = make(at=NOON - 2 * HOUR, event_id="evt_done", received_at=done.received_at)
    retried = make(Outcome.FAILED, NOON - 2 * HOUR, event_id="evt_lost", received_at=lost.received_at)
    fill.add([lost, done, end, retried])
    fill.add([accepted("evt_later", 20 * MINUTE), accepted("evt_fresh", 10 * MINUTE)])
    fill.add([accepted("evt_ancient", 2 * DAY), accepted("evt_other", 3 * HOUR, endpoint="refunds")])

    found = seen(reader).stuck(PAYMENTS, 15 * MINUTE, DAY)

    assert (found.acknowledged, found.count, found.oldest_at) == (3, 2, NOON - 3 * HOUR)
    assert list(found.exemplars) == [str(lost.record_id)]
    assert seen(reader).stuck(Target("production", "stripe", "silent"), 15 * MINUTE, DAY) == Stuck()


def test_stored_rejections_are_shown_with_their_address_newest_first(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    made = [
        make.delivery(Outcome.REJECTED, NOON - n * MINUTE, remote_ip=f"203.0.113.{n}") for n in (20, 2, 1)
    ]
    fill.add([*made, make.delivery(Outcome.REJECTED, NOON - MINUTE, endpoint="refunds"), make.delivery()])

    found = seen(reader).refused(PAYMENTS, NOON - 15 * MINUTE, NOON)

    assert found == [
        Refusal(str(made[2].record_id), "bad_signature", "203.0.113.1"),
        Refusal(str(made[1].record_id), "bad_signature", "203.0.113.2"),
    ]


def test_an_event_that_succeeded_twice_is_found_however_long_ago_the_first_time_was(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    fill.add([make(at=NOON - 9 * DAY, event_id="evt_long_ago")])
    again = make(at=NOON - MINUTE, event_id="evt_long_ago")
    both = [make(at=NOON - n * MINUTE, event_id="evt_now") for n in (3, 2)]
    replayed = [
        make(at=NOON - MINUTE, event_id=e, replay_id=r) for e, r in (("evt_r", "rep_1"), ("evt_r", None))
    ]
    elsewhere = make(at=NOON - MINUTE, event_id="evt_long_ago", endpoint="ledger")
    canaries = [make(at=NOON - MINUTE, event_id="evt_canary", canary=True) for _ in range(2)]
    fill.add([again, *both, *replayed, elsewhere, *canaries, make(Outcome.FAILED, NOON, event_id="evt_now")])
    observed = seen(reader)

    found = observed.repeats(PAYMENTS, NOON - 5 * MINUTE, NOON)

    assert (found.looked_at, found.twice) == (3, 2)
    assert set(found.exemplars) == {str(again.record_id), str(both[1].record_id)}
    ledger = Target("production", "stripe", "ledger")
    assert observed.repeats(ledger, NOON - 5 * MINUTE, NOON) == Repeats(looked_at=1)


def test_a_busy_endpoint_is_looked_at_by_what_quiet_ones_leave(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    quiet = [make(at=NOON - MINUTE, endpoint=f"quiet-{n}") for n in range(9)]
    fill.add([*quiet, *(make(at=NOON - MINUTE) for _ in range(SUCCESSES_ASKED))])
    observed = seen(reader)

    looked_at = [
        observed.repeats(t, NOON - 5 * MINUTE, NOON).looked_at
        for t in observed.targets(make_rule("processed_twice"))
    ]

    assert sorted(looked_at) == [1] * 9 + [SUCCESSES_ASKED - 9]


def test_an_endpoint_has_its_terms_and_an_unknown_one_the_default(reader: Reader) -> None:
    own = Terms(ack_deadline=timedelta(seconds=5), objective=0.99)
    observed = StoredObservations(reader, NOON, terms={SeriesKey("production", "stripe", "payments"): own})

    assert observed.terms(PAYMENTS) == own
    assert observed.terms(Target("production", "stripe", "payments", "invoice.paid")) == own
    assert observed.terms(Target("production", "stripe", "refunds")) == Terms()


@pytest.mark.parametrize("into_minute_s", [0, 1, 30, 59])
def test_a_window_never_looks_back_less_than_it_says(
    fill: Filled, reader: Reader, make: RecordFactory, into_minute_s: int
) -> None:
    now = NOON + timedelta(seconds=into_minute_s)
    fill.add([make(Outcome.FAILED, now - 50 * timedelta(seconds=1))])

    window = seen(reader).window(PAYMENTS, now - MINUTE, now)

    assert window.failed == 1


def test_a_silent_window_is_empty(fill: Filled, reader: Reader, make: RecordFactory) -> None:
    fill.add([make(at=NOON - 60 * MINUTE)])

    window = seen(reader).window(PAYMENTS, NOON - 15 * MINUTE, NOON)

    assert (window.attempts, window.deliveries, window.process_ms.quantile(0.5)) == (0, 0, None)


def test_a_rule_looks_at_each_endpoint_of_its_environment_silent_ones_too(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    fill.add([make(), make(endpoint="refunds"), make(source="orum"), make(environment="dev")])
    silent = SeriesKey("production", "stripe", "silent")

    found = seen(reader, silent).targets(make_rule("error_rate", source="str*"))

    assert found == [
        PAYMENTS,
        Target("production", "stripe", "refunds"),
        Target("production", "stripe", "silent"),
    ]


def test_a_rule_for_types_looks_at_each_type(fill: Filled, reader: Reader, make: RecordFactory) -> None:
    fill.add([make(), make(Outcome.FAILED, event_type="invoice.voided"), make(event_type="payout")])
    observed = seen(reader)

    found = observed.targets(make_rule("error_rate", event_type="invoice.*"))

    assert [target.event_type for target in found] == ["invoice.paid", "invoice.voided"]
    windows = [observed.window(target, NOON, NOON + MINUTE) for target in found]
    assert [(window.succeeded, window.failed) for window in windows] == [(1, 0), (0, 1)]


def test_the_types_of_an_endpoint_are_those_that_verified(
    fill: Filled, reader: Reader, make: RecordFactory
) -> None:
    fill.add([make(event_type="payout"), make(), make(event_type="other", endpoint="refunds")])
    fill.add([make.delivery(Outcome.REJECTED)])
    observed = seen(reader)

    types = observed.types(PAYMENTS)

    assert [target.event_type for target in types] == ["invoice.paid", "payout"]
    assert [observed.window(one, NOON, NOON + MINUTE).succeeded for one in types] == [1, 1]
    assert observed.types(Target("production", "stripe", "never")) == []


def test_the_latest_sample_of_each_queue_of_the_target_is_seen(fill: Filled, reader: Reader) -> None:
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


def test_probes_come_newest_first_with_the_failures_in_a_row(fill: Filled, reader: Reader) -> None:
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


def test_the_heartbeat_is_the_collectors_last(fill: Filled, reader: Reader) -> None:
    assert seen(reader).last_heartbeat_at() is None
    fill.writer.heartbeat("a", to_us(NOON - MINUTE))

    assert seen(reader).last_heartbeat_at() == NOON - MINUTE
