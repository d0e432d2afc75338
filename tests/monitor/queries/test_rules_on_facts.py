"""Each kind that looks at traffic finds its trouble in records as they are stored, and nothing else does."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import pytest

from alerts.model import Terms, Verdict
from alerts.rules import KINDS, default_rules
from alerts.rules.evaluate import evaluate
from monitor.clock import to_us
from monitor.model import Outcome, Record, SeriesKey
from monitor.queries.windows import StoredObservations
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory

SECOND, MINUTE, HOUR, WEEK = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "weeks"))
PAYMENTS = SeriesKey("production", "stripe", "payments")
Trouble = Callable[[RecordFactory], Iterable[Record]]
TERMS = {PAYMENTS: Terms(ack_deadline=5 * SECOND, objective=0.999)}


def healthy(make: RecordFactory, minutes: int = 16) -> Iterable[Record]:
    """A delivery each five seconds that goes well, up to now."""
    return [make.delivery(at=NOON - n * 5 * SECOND) for n in range(1, minutes * 12)]


def late(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(at=NOON - n * SECOND, ack_ms=4_200.0, latency_ms=4_200.0) for n in range(1, 40)]


def wrong(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(at=NOON - n * SECOND, http_status=302) for n in range(1, 40)]


def believed(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(Outcome.REJECTED, NOON - MINUTE, http_status=200)]


def repeated(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(Outcome.DUPLICATE, NOON - n * SECOND) for n in range(1, 100)]


def done_again(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(at=at, event_id="evt_twice") for at in (NOON - WEEK, NOON - MINUTE)]


def unended(make: RecordFactory) -> Iterable[Record]:
    at = NOON - 20 * MINUTE
    return [make.delivery(Outcome.ACCEPTED, at, received_at=at)]


def lost(make: RecordFactory) -> Iterable[Record]:
    return [make(Outcome.DEAD_LETTERED, NOON - n * 10 * SECOND) for n in range(1, 10)]


def forged(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(Outcome.REJECTED, NOON - n * SECOND, remote_ip="203.0.113.9") for n in range(1, 40)]


def off_time(make: RecordFactory) -> Iterable[Record]:
    return [make.delivery(at=NOON - n * SECOND, skew_ms=-95_000.0) for n in range(1, 240)]


def found(reader: SqliteFactReader, fill: Filled) -> Mapping[str, str]:
    """The rules in breach, and what they say; those left out that only write tickets."""
    fill.writer.heartbeat("collector", to_us(NOON))
    seen = StoredObservations(reader, NOON, [PAYMENTS], TERMS)
    rules = [rule for rule in default_rules() if not KINDS[rule.kind].ticket]
    round_ = evaluate(rules, seen, NOON)
    assert not round_.frozen
    return {one.rule: one.evidence.summary for one in round_.evaluations if one.verdict is Verdict.BREACH}


def test_healthy_traffic_is_no_breach(fill: Filled, reader: SqliteFactReader, make: RecordFactory) -> None:
    fill.add(healthy(make))
    assert found(reader, fill) == {}


@pytest.mark.parametrize(
    ("trouble", "rules", "said"),
    [
        (late, {"ack_deadline"}, "were answered later than 4 s in 15 min"),
        (wrong, {"wrong_status"}, "mostly 302"),
        (believed, {"wrong_status"}, "answered 2xx to 1 of 1 deliveries that it rejected"),
        (repeated, {"retry_storm"}, "99 of events that were done"),
        (done_again, {"processed_twice"}, "stripe/payments processed 1 event to the end twice"),
        (unended, {"stuck_events"}, "1 of 1 acknowledged events of stripe/payments"),
        (lost, {"dead_letters", "burn_rate"}, "budget of 30 d is gone"),
        (forged, {"verification_failures"}, "100 % of a sample from 203.0.113.9"),
        (off_time, {"verification_failures"}, "signed more than 30 s before or after it came"),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_trouble_in_the_records_is_found(
    fill: Filled,
    reader: SqliteFactReader,
    make: RecordFactory,
    trouble: Trouble,
    rules: set[str],
    said: str,
) -> None:
    fill.add([*healthy(make), *trouble(make)])

    breaches = found(reader, fill)

    assert set(breaches) == rules
    assert any(said in summary for summary in breaches.values()), breaches


def test_silence_where_there_was_traffic_each_week_is_found(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    for weeks in (1, 2, 3):
        fill.add([make.delivery(at=NOON - weeks * WEEK - n * MINUTE) for n in range(1, 60)])
    fill.add([make.delivery(at=NOON - 2 * HOUR)])

    assert list(found(reader, fill)) == ["no_events"]
