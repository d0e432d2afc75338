from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.dead_letters import LetterRecord, LetterState
from monitor.model import UNVERIFIED, Outcome
from monitor.replay.letters import PERMANENT_AFTER, standing_of
from tests.facts import NOON


def record(outcome: Outcome, second: int, replay_id: str | None = None, **given: str) -> LetterRecord:
    return LetterRecord(
        record_id=f"{second:08d}-{outcome.value}-{replay_id}",
        recorded_at=NOON + timedelta(seconds=second),
        outcome=outcome,
        event_type=given.pop("event_type", "invoice.paid"),
        replay_id=replay_id,
        error_class=given.get("error_class"),
        reason=given.get("reason"),
    )


def died(second: int = 0) -> LetterRecord:
    return record(Outcome.DEAD_LETTERED, second, error_class="KeyError")


def state(*records: LetterRecord) -> LetterState:
    standing = standing_of(records)
    assert standing is not None
    return standing.state


def failed_replays(count: int, start: int = 1) -> list[LetterRecord]:
    return [record(Outcome.FAILED, start + n, f"ri_{start + n}") for n in range(count)]


@given(st.data())
def test_any_order_of_arrival_gives_the_same_letter(data: st.DataObject) -> None:
    records = data.draw(
        st.lists(
            st.builds(
                record,
                st.sampled_from(list(Outcome)),
                st.integers(0, 12),
                st.sampled_from([None, "ri_1", "ri_2", "ri_3", "ri_4", "ri_5", "ri_6"]),
            ),
            min_size=1,
            max_size=14,
            unique_by=lambda one: one.record_id,
        )
    )
    shuffled = data.draw(st.permutations(records))

    assert standing_of(shuffled) == standing_of(records)


def test_a_dead_event_is_open_and_shows_its_error() -> None:
    standing = standing_of([died()])

    assert standing is not None
    assert (standing.state, standing.error_class, standing.died_at) == (LetterState.OPEN, "KeyError", NOON)


def test_the_record_of_a_replay_that_succeeded_resolves() -> None:
    standing = standing_of([died(), record(Outcome.SUCCEEDED, 5, "ri_1")])

    assert standing is not None
    assert (standing.state, standing.how) == (LetterState.RESOLVED, "replayed")
    assert standing.settled_at == NOON + timedelta(seconds=5)


def test_a_replayed_duplicate_resolves_as_already_done() -> None:
    standing = standing_of([died(), record(Outcome.DUPLICATE, 5, "ri_1")])

    assert standing is not None
    assert (standing.state, standing.how) == (LetterState.RESOLVED, "already_done")


def test_a_duplicate_delivery_by_the_provider_resolves_nothing() -> None:
    assert state(died(), record(Outcome.DUPLICATE, 5)) is LetterState.OPEN


def test_an_acknowledgement_resolves_nothing() -> None:
    assert state(died(), record(Outcome.ACCEPTED, 5, "ri_1")) is LetterState.OPEN


def test_a_success_before_the_death_does_not_resolve_it() -> None:
    assert state(died(10), record(Outcome.SUCCEEDED, 5)) is LetterState.OPEN


def test_dying_again_after_a_success_opens_the_letter_anew() -> None:
    standing = standing_of([died(), *failed_replays(2), record(Outcome.SUCCEEDED, 5, "ri_9"), died(9)])

    assert standing is not None
    assert (standing.state, standing.failed_replays) == (LetterState.OPEN, 0)
    assert standing.died_at == NOON + timedelta(seconds=9)


def test_five_failed_replays_make_a_letter_permanent() -> None:
    assert state(died(), *failed_replays(PERMANENT_AFTER - 1)) is LetterState.OPEN
    assert state(died(), *failed_replays(PERMANENT_AFTER)) is LetterState.PERMANENT


def test_a_success_resolves_even_a_permanent_letter() -> None:
    records = [died(), *failed_replays(PERMANENT_AFTER), record(Outcome.SUCCEEDED, 99, "ri_99")]

    assert state(*records) is LetterState.RESOLVED


def test_one_replay_that_fails_in_several_records_counts_once() -> None:
    retried = [record(Outcome.FAILED, n, "ri_1") for n in range(1, 5)]

    standing = standing_of([died(), *retried, record(Outcome.DEAD_LETTERED, 9, "ri_1")])

    assert standing is not None
    assert standing.failed_replays == 1


def test_a_failed_attempt_that_is_no_replay_does_not_count() -> None:
    standing = standing_of([died(), *(record(Outcome.FAILED, n) for n in range(1, 9))])

    assert standing is not None
    assert (standing.state, standing.failed_replays) == (LetterState.OPEN, 0)


def test_a_rejected_replay_keeps_the_event_type_that_was_verified() -> None:
    rejected = record(Outcome.REJECTED, 3, "ri_1", event_type=UNVERIFIED, reason="bad_signature")

    standing = standing_of([died(), rejected])

    assert standing is not None
    assert (standing.event_type, standing.error_class) == ("invoice.paid", "bad_signature")


def test_a_replay_heard_of_before_the_death_waits_for_it() -> None:
    assert state(record(Outcome.FAILED, 5, "ri_1")) is LetterState.NONE


def test_no_records_are_no_letter() -> None:
    assert standing_of([]) is None
