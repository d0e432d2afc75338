"""A flood of forged requests: counted exactly, stored bounded, and the same when it is sent again."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.collector.chores import Chores
from monitor.collector.counters import Counters
from monitor.collector.ingest import ADDRESSES
from monitor.maintain.verify import verify
from monitor.model import Outcome, Reason, SeriesKey
from monitor.store.facts.protocol import FactReader, RecordFilter, pages
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import Stand, stand

A_REQUEST = 10_000
A_MINUTE = 60
ORUM = SeriesKey("production", "orum")


def forged(collector: Stand, first: int, size: int, **given: object) -> list[dict[str, object]]:
    """Rejections of one minute, each a millisecond after the one before it at most."""
    base = collector.record(
        outcome="rejected", reason="bad_signature", event_id=None, event_type=None, http_status=401
    )
    return [
        base | {"received_at": collector.now_us - n // 10, "attempt": n + 1, "user_agent": "forger"} | given
        for n in range(first, first + size)
    ]


def run_chores(collector: Stand, over: timedelta) -> None:
    """What the writer does by the clock, a second at a time."""
    settings = collector.front.settings
    chores = Chores(collector.store, settings, Counters(settings.counters_dir), collector.clock)
    end_s = collector.clock.monotonic() + over.total_seconds()
    while collector.clock.monotonic() < end_s:
        chores.run_due()
        collector.clock.move(timedelta(seconds=1))


def rows(reader: FactReader) -> int:
    return sum(1 for _ in pages(reader, RecordFilter(), 1000))


def assert_agrees(collector: Stand, reader: FactReader) -> None:
    now = collector.clock.now()
    assert list(verify(reader, now - timedelta(hours=2), now + timedelta(minutes=6)).differences) == []


def test_hundred_thousand_forged_in_a_minute_are_counted_and_not_kept(tmp_path: Path) -> None:
    collector = stand(tmp_path)
    requests = [forged(collector, first, A_REQUEST) for first in range(0, 100_000, A_REQUEST)]
    for request in requests:
        assert collector.send(*request)["accepted"] == A_REQUEST
    collector.send(collector.record(event_id="real"))

    run_chores(collector, timedelta(minutes=15))

    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert rows(reader) == A_MINUTE + 1
    total = reader.ever([ORUM])[ORUM]
    assert total.outcome(Outcome.REJECTED) == 100_000
    assert total.reasons() == {Reason.BAD_SIGNATURE: 100_000}
    assert total.statuses(rejected=True) == {401: 100_000}
    assert_agrees(collector, reader)

    used = collector.store.used_bytes()
    again = collector.send(*requests[0])
    assert (again["accepted"], again["duplicates"]) == (0, A_MINUTE)
    assert {entry["code"] for entry in again["rejected"]} == {"too_old"}
    assert sum(collector.send(*request)["accepted"] for request in requests[1:]) == 0
    run_chores(collector, timedelta(minutes=1))
    assert reader.ever([ORUM])[ORUM] == total
    assert_agrees(collector, reader)
    assert collector.store.used_bytes() <= used
    collector.store.close()


def test_flood_from_many_addresses_is_bounded_by_source(tmp_path: Path) -> None:
    collector = stand(tmp_path, rejections_a_minute=6)
    for n in range(50):
        collector.send(*forged(collector, 100 * n, 100, remote_ip=f"10.0.0.{n}"))
    collector.send(*forged(collector, 0, 100, source="stripe"))

    run_chores(collector, timedelta(minutes=15))

    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert rows(reader) == ADDRESSES * 6 + 6
    assert reader.ever([ORUM])[ORUM].outcome(Outcome.REJECTED) == 5_000
    assert_agrees(collector, reader)
    collector.store.close()


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_only_rejections_are_ever_bare(tmp_path: Path, outcome: str) -> None:
    collector = stand(tmp_path, rejections_a_minute=1)
    collector.send(*[collector.record(event_id=f"e{n}", outcome=outcome) for n in range(20)])

    run_chores(collector, timedelta(minutes=15))

    assert rows(SqliteFactReader(collector.front.settings.facts_path)) == 20
    collector.store.close()


def test_rejections_of_replays_are_kept_for_control_to_hear_of(tmp_path: Path) -> None:
    collector = stand(tmp_path, rejections_a_minute=1)
    collector.send(*forged(collector, 0, 20, replay_id="r1"))

    run_chores(collector, timedelta(minutes=15))

    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert len(reader.feed(0, 0, 100)) == 20
    collector.store.close()
