from dashboard.figures.gantt import Bar
from dashboard.palette import Tone
from dashboard.story import acknowledgement, bars, processing, row_names
from monitor.model import Outcome, Reason
from tests.dashboard.support import record

ACCEPTED = record(Outcome.ACCEPTED, 0.014, http_status=202, ack_ms=14.0, verify_ms=2.0)
FAILED = record(Outcome.FAILED, 1.35, attempt=1, queue_ms=220.0, process_ms=1130.0)
DEAD = record(Outcome.DEAD_LETTERED, 3.4, attempt=2, queue_ms=2300.0, error_class="Timeout")


def test_a_delivered_event_that_died_shows_both_truths() -> None:
    story = [ACCEPTED, FAILED, DEAD]
    assert acknowledgement(story).word == "delivered"
    assert processing(story).word == "dead lettered"
    assert processing(story).tone is Tone.CRITICAL
    assert "Timeout" in processing(story).text


def test_a_replay_that_succeeded_ends_the_story_well() -> None:
    again = record(Outcome.SUCCEEDED, 60.0, attempt=3, replay_id="rp_1", process_ms=80.0)
    truth = processing([ACCEPTED, DEAD, again])
    assert truth.word == "succeeded"
    assert "by a replay" in truth.text


def test_an_event_that_waits_is_neither_good_nor_bad() -> None:
    assert processing([ACCEPTED]).word == "waiting"


def test_a_refused_delivery_is_refused_in_both_truths() -> None:
    refused = record(Outcome.REJECTED, http_status=401, reason=Reason.BAD_SIGNATURE)
    assert acknowledgement([refused]).word == "refused"
    assert processing([refused]).text == "Refused before any work: bad signature."


def test_a_redelivery_that_was_answered_well_counts_as_delivered() -> None:
    first = record(Outcome.FAILED, attempt=1, http_status=500)
    second = record(Outcome.SUCCEEDED, 9.0, attempt=2, http_status=200)
    assert acknowledgement([first, second]).word == "delivered"


def test_a_receiver_that_never_said_what_it_answered_leaves_that_unknown() -> None:
    assert acknowledgement([FAILED]).word == "unknown"


def test_bars_stand_where_the_work_was_done() -> None:
    names = row_names([ACCEPTED, FAILED])
    assert bars([ACCEPTED, FAILED]) == [
        Bar(names[0], "acknowledge", 0.0, 14.0),
        Bar(names[0], "verify", 0.0, 2.0),
        Bar(names[1], "wait", 0.0, 220.0),
        Bar(names[1], "process", 220.0, 1130.0),
    ]


def test_rows_of_equal_records_stay_apart() -> None:
    assert row_names([FAILED, FAILED]) == ["1. failed 1", "2. failed 1"]


def test_an_event_without_records_has_no_bars() -> None:
    assert bars([]) == []
