"""What a facts store holds after a fault, counted three times: its records, its rollups, and what was sent.

The clients of `load.py` send records that follow from their ids, so the third count needs nothing that the
product wrote but the ids.
"""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from monitor.maintain.verify import verify
from monitor.model import Grain, Outcome, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, RecordFilter, pages
from tests.faults.load import Said, said

MINUTE_US = 60_000_000
Counts = Counter[tuple[SeriesKey, int, Outcome]]
"""Records per series, start of the minute and outcome."""


def assert_exact(reader: FactReader, acknowledged: Collection[UUID], sent: Collection[UUID]) -> int:
    """Nothing acknowledged is lost, nothing counts twice, nothing was made up. How many records there are."""
    found = [record.record_id for record in pages(reader, RecordFilter(), 1000)]
    stored = set(found)
    assert len(found) == len(stored), "the same record twice in the store"
    assert not set(acknowledged) - stored, "acknowledged, and lost"
    assert not stored - set(sent), "stored, and never sent"

    now = datetime.now(UTC)
    verified = verify(reader, now - timedelta(days=1), now + timedelta(hours=1))
    assert list(verified.differences) == [], verified.differences[:5]
    assert verified.records == len(stored), (verified.records, len(stored))
    rolled_up, counted = _rolled_up(reader), _counted(stored)
    assert rolled_up == counted, (rolled_up - counted, counted - rolled_up)
    _assert_totals(reader, [said(each) for each in stored])
    fed = reader.feed(0, 0, len(stored) + 1)
    for outcome in (Outcome.DEAD_LETTERED, Outcome.FAILED):
        told = sum(row.records for row in fed if row.record.outcome is outcome)
        assert told == sum(said(one).outcome is outcome for one in stored)
    return len(stored)


def _counted(ids: Collection[UUID]) -> Counts:
    counts: Counts = Counter()
    for each in map(said, ids):
        minute = each.at_us // MINUTE_US * MINUTE_US
        counts.update((series, minute, each.outcome) for series in _above(each.series))
    return counts


def _above(key: SeriesKey) -> list[SeriesKey]:
    """The series and those that hold it."""
    return [
        key,
        SeriesKey(key.environment, key.source, key.endpoint),
        SeriesKey(key.environment, key.source),
        SeriesKey(key.environment),
    ]


def _rolled_up(reader: FactReader) -> Counts:
    counts: Counts = Counter()
    keys = list(reader.series().values())
    end_us = int((datetime.now(UTC) + timedelta(hours=1)).timestamp()) * 1_000_000
    for key, buckets in reader.rollups(keys, Grain.MINUTE, 0, end_us).items():
        for start_us, rollup in buckets.items():
            counts.update({(key, start_us, outcome): rollup.outcome(outcome) for outcome in Outcome})
    return +counts


def _assert_totals(reader: FactReader, told: list[Said]) -> None:
    """The wider grains and the counts that are never purged, against the records."""
    top = SeriesKey("production")
    end_us = int((datetime.now(UTC) + timedelta(hours=1)).timestamp()) * 1_000_000
    errors = Counter(one.error_class for one in told if one.error_class is not None)
    for total in (reader.ever([top])[top], reader.total([top], 0, end_us)[top]):
        assert total.records() == len(told)
        assert sum(total.errors().values()) == errors.total()
    for grain in (Grain.HOUR, Grain.DAY):
        buckets: dict[int, Rollup] = dict(reader.rollups([top], grain, 0, end_us)[top])
        assert sum(rollup.records() for rollup in buckets.values()) == len(told)
