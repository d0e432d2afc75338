"""Counting by hand: what rollups and filters must say, record by record, without the product's folding."""

from collections import Counter
from collections.abc import Iterable, Sequence

from monitor.clock import to_us
from monitor.model import ATTEMPTS, OUTCOMES, Duration, Outcome, Reason, Record, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import RecordFilter
from tests.facts import route_of


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
