"""The events screen finds records and tells an event's story in order."""

from datetime import timedelta

from monitor.model import Outcome
from monitor.queries.events import Search, find, record, timelines
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory, uuid7

MINUTE = timedelta(minutes=1)


def test_a_search_between_times_takes_the_first_and_not_the_last(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    records = [make(at=NOON + i * MINUTE) for i in range(5)]
    fill.add(records)

    page = find(reader, Search(since_at=NOON + MINUTE, until_at=NOON + 3 * MINUTE), 10)

    assert (list(page.records), page.next_before) == ([records[2], records[1]], None)


def test_pages_join_without_a_gap(fill: Filled, reader: SqliteFactReader, make: RecordFactory) -> None:
    records = [make(Outcome.FAILED if i % 3 else Outcome.SUCCEEDED, NOON + i * MINUTE) for i in range(30)]
    fill.add(records)
    search = Search(source="stripe", outcomes=(Outcome.FAILED,))

    first = find(reader, search, 7)
    second = find(reader, search, 50, first.next_before)

    failed = [made for made in reversed(records) if made.outcome is Outcome.FAILED]
    assert [*first.records, *second.records] == failed
    assert second.next_before is None


def test_a_timeline_shows_what_the_sender_saw_and_when_the_handler_ran(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    received = NOON - timedelta(milliseconds=100)
    fill.add(
        [
            make(Outcome.SUCCEEDED, NOON + 10 * MINUTE, event_id="evt_x", attempt=2, received_at=received),
            make.delivery(Outcome.ACCEPTED, NOON, event_id="evt_x", http_status=202, received_at=received),
            make(Outcome.FAILED, NOON + MINUTE, event_id="evt_x", received_at=received),
            make.delivery(Outcome.DUPLICATE, NOON + 5 * MINUTE, event_id="evt_x"),
        ]
    )

    (story,) = timelines(reader, "production", "stripe", "evt_x")

    assert [step.record.outcome for step in story.steps] == [
        Outcome.ACCEPTED,
        Outcome.FAILED,
        Outcome.DUPLICATE,
        Outcome.SUCCEEDED,
    ]
    assert [step.is_delivery for step in story.steps] == [True, False, True, False]
    assert [step.is_attempt for step in story.steps] == [False, True, False, True]
    assert (story.deliveries, story.attempts, story.outcome) == (2, 2, Outcome.SUCCEEDED)
    assert story.first_received_at == received
    assert story.steps[1].after == MINUTE + timedelta(milliseconds=100)


def test_an_event_that_two_endpoints_saw_has_two_stories(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(event_id="evt_x"), make(Outcome.FAILED, event_id="evt_x", endpoint="refunds")])

    stories = timelines(reader, None, "stripe", "evt_x")

    assert [(story.endpoint, story.outcome) for story in stories] == [
        ("payments", Outcome.SUCCEEDED),
        ("refunds", Outcome.FAILED),
    ]


def test_an_unknown_event_or_record_is_nothing(reader: SqliteFactReader) -> None:
    assert timelines(reader, "production", "stripe", "evt_x") == []
    assert record(reader, uuid7(NOON, 1)) is None
