"""What of a request control must hear of: dead letters and replays one by one, failures that say the same
together (practice 33)."""

import msgspec

from monitor.collector.accept import Terms, judged
from monitor.collector.names import Coded
from monitor.collector.pack import MOST_MESSAGES, MOST_READ, packed
from monitor.collector.wire import RecordIn
from monitor.seal import Sealer

NOW_US = 1_795_000_000_000_000
TERMS = Terms(now_us=NOW_US)


def record(number: int, outcome: str = "failed", **given: object) -> RecordIn:
    stated = {
        "source": "orum",
        "endpoint": "payouts",
        "received_at": NOW_US - 5_000_000,
        "outcome": outcome,
        "event_id": f"e{number}",
        "event_type": "t",
        "error_class": "Timeout",
        "error_message": f"no answer to {number}",
    }
    return msgspec.convert(stated | given, RecordIn)


def fed(records: list[RecordIn], errors: list[int] | None = None) -> list[tuple[int, ...]]:
    routes = [1] * len(records)
    batch = packed(
        judged(records, range(len(records)), TERMS),
        Coded(routes, errors or routes),
        Sealer(b"k" * 32),
        lambda *_: 1,
    )
    return sorted(batch.fed)


def test_failures_that_say_the_same_are_told_together() -> None:
    records = [record(0), record(1, "succeeded"), record(2), record(3, error_message="the ledger is closed")]

    assert fed(records) == [(0, 2), (3,)]


def test_another_class_is_another_row() -> None:
    assert fed([record(0), record(1), record(2)], [1, 2, 1]) == [(0, 2), (1,)]


def test_dead_letters_and_replays_are_told_one_by_one() -> None:
    records = [record(0, "dead_lettered"), record(1, "dead_lettered"), record(2, replay_id="r"), record(3)]

    assert fed(records) == [(0,), (1,), (2,), (3,)]


def test_a_canary_that_fails_and_what_went_well_are_not_told() -> None:
    assert fed([record(0, canary=True), record(1, "succeeded"), record(2, "duplicate")]) == []


def test_of_a_flood_only_so_many_texts_are_read_and_every_failure_is_counted() -> None:
    rows = fed([record(n) for n in range(MOST_READ + 50)])

    assert sorted(map(len, rows)) == [50, MOST_READ]


def test_a_client_whose_messages_all_differ_does_not_fill_the_feed() -> None:
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)} broke" for n in range(400)]
    records = [record(n, error_message=words[n]) for n in range(400)]

    rows = fed(records)

    assert len(rows) == MOST_MESSAGES + 1
    assert sum(map(len, rows)) == 400
