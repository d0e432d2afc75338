"""A breaker opens, lets one event through to try, and closes; meanwhile nothing is lost (practice 28)."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookvitals import BreakerPolicy, Event, MemoryState, Permanent, SqliteState
from hookvitals.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, Note, asked, told
from hookvitals.state import StateUnavailable
from hookvitals.state.base import Change
from tests.sdk.processing.drained import drained
from tests.sdk.world import NOW, Clock, World, deliver


def breaker(clock: Clock, **policy: float) -> Breaker:
    return Breaker(
        BreakerPolicy(**policy),  # type: ignore[arg-type]
        MemoryState(clock),
        "here",
        lambda: int(clock() * 1e6),
    )


def run(one: Breaker, *went: bool | None) -> None:
    for how in went:
        permit = one.ask()
        assert permit.wait_s == 0
        one.tell(permit, how)


def opened(clock: Clock) -> Breaker:
    one = breaker(clock)
    run(one, *[False] * 5)
    assert one.state == OPEN
    return one


def test_the_fifth_failure_opens_it_for_a_minute() -> None:
    clock = Clock()
    one = breaker(clock)
    run(one, *[False] * 4)
    assert one.state == CLOSED

    run(one, False)

    assert one.state == OPEN
    assert one.wait_s() == one.ask().wait_s == 60
    clock.now += 59.9
    assert one.ask().wait_s > 0
    clock.now += 0.1
    assert one.wait_s() == one.ask().wait_s == 0


def test_a_success_does_not_forget_the_failures_before_it() -> None:
    """Bug of a guide: four failures and one success, for ever repeated, never open its breaker."""
    one = breaker(Clock())

    run(one, False, False, False, False, True, False)

    assert one.state == OPEN


def test_failures_that_are_less_than_half_of_everything_leave_it_closed() -> None:
    one = breaker(Clock())

    run(one, *[True, True, False] * 20)
    assert one.state == CLOSED
    run(one, *[False] * 20)
    assert one.state == OPEN


def test_what_is_older_than_a_minute_does_not_count() -> None:
    clock = Clock()
    one = breaker(clock)
    run(one, *[False] * 4)

    clock.now += 61
    run(one, False)

    assert one.state == CLOSED


def test_half_open_it_lets_one_event_through_at_a_time() -> None:
    """Bug of a guide: half open, its breaker lets everything through."""
    clock = Clock()
    one = opened(clock)
    clock.now += 60

    permits = [one.ask() for _ in range(10)]

    assert [permit.wait_s > 0 for permit in permits] == [False] + [True] * 9
    assert one.state == HALF_OPEN
    one.tell(permits[0], True)
    assert [one.ask().wait_s > 0 for _ in range(3)] == [False, True, True]


def test_two_successes_close_it_and_one_does_not() -> None:
    """Bug of a guide: any one success closes its breaker."""
    clock = Clock()
    one = opened(clock)
    clock.now += 60

    run(one, True)
    assert one.state == HALF_OPEN
    run(one, True)
    assert one.state == CLOSED
    run(one, *[False] * 4)
    assert one.state == CLOSED, "what was before does not count again"


def test_a_failed_try_opens_it_for_another_minute() -> None:
    clock = Clock()
    one = opened(clock)
    clock.now += 60

    run(one, True, False)

    assert (one.state, one.ask().wait_s) == (OPEN, 60)


def test_what_began_before_it_opened_neither_closes_nor_reopens_it() -> None:
    clock = Clock()
    one = breaker(clock)
    early, late = one.ask(), one.ask()
    run(one, *[False] * 5)
    clock.now += 60
    one.tell(early, True)
    probe = one.ask()
    one.tell(late, False)

    assert one.state == HALF_OPEN
    one.tell(probe, True)
    assert one.state == HALF_OPEN


def test_a_try_whose_process_died_is_followed_by_another() -> None:
    clock = Clock()
    one = opened(clock)
    clock.now += 60
    one.ask()

    clock.now += 59
    assert one.ask().wait_s == pytest.approx(1)
    clock.now += 1
    assert one.ask().wait_s == 0


def test_a_permanent_failure_says_nothing_and_frees_the_try() -> None:
    clock = Clock()
    one = breaker(clock)
    run(one, *[None] * 20)
    assert one.state == CLOSED

    run(one, *[False] * 5)
    clock.now += 60
    run(one, None, True, None, True)

    assert one.state == CLOSED


def test_processes_that_share_a_state_share_the_breaker(tmp_path: Path) -> None:
    clock = Clock()
    path = str(tmp_path / "state.db")
    states = [SqliteState(path, clock), SqliteState(path, clock)]
    one, other = (Breaker(BreakerPolicy(), state, "here", lambda: int(clock() * 1e6)) for state in states)
    run(other, True)

    run(one, *[False] * 5)
    clock.now += 1  # by then the other has looked

    assert other.ask().wait_s == 59
    clock.now += 59
    assert [one.ask().wait_s > 0, other.ask().wait_s > 0] == [False, True]
    for state in states:
        state.close()


def test_a_clock_that_was_set_back_does_not_keep_it_open() -> None:
    clock = Clock()
    one = opened(clock)

    clock.now -= 86_400
    assert one.ask().wait_s == 60
    clock.now += 60

    assert one.ask().wait_s == 0


class Away(MemoryState):
    def change(self, note: str, change: Change, until_us: int) -> bytes:
        raise StateUnavailable("away")


def test_without_a_state_to_ask_everything_goes_through_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = Breaker(BreakerPolicy(), Away(), "here", lambda: int(NOW * 1e6))

    run(one, *[False] * 20)

    assert one.wait_s() == 0
    assert caplog.text.count("cannot be kept") == 1


@given(held=st.one_of(st.none(), st.binary(), st.just(b"[1]"), st.just(b'{"state":3}'), st.just(b'{"x":1}')))
def test_a_note_of_somebody_elses_is_a_closed_breaker(held: bytes | None) -> None:
    note = Note.read(asked(held, BreakerPolicy(), "t", int(NOW * 1e6)))

    assert (note.state, note.slices) == (CLOSED, {})


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(0, 30)), max_size=200))
def test_whatever_happens_a_note_stays_small_and_an_open_breaker_is_asked_again(
    steps: list[tuple[bool | None, int]],
) -> None:
    policy, held, now_us = BreakerPolicy(), b"", int(NOW * 1e6)
    for number, (went, pause_s) in enumerate(steps):
        now_us += pause_s * 1_000_000
        held = asked(held, policy, str(number), now_us)
        held = told(held, policy, str(number), went, 0, now_us)
    assert len(held) < 1024

    note = Note.read(asked(held, policy, "last", now_us + 60_000_000))

    assert note.state == CLOSED or note.probe == "last"


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"share": 0}, {"share": 1.1}, {"open_s": 0}, {"window_s": 0}]
)
def test_a_breaker_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a breaker needs"):
        BreakerPolicy(**wrong)  # type: ignore[arg-type]


# --- in a receiver ---


def fail(event: Event) -> None:
    raise RuntimeError


def test_inline_an_open_breaker_is_503_with_a_time_and_on_record(world: World) -> None:
    world.behave = fail
    receiver = world.receiver()
    for number in range(5):
        assert deliver(receiver, f"evt_{number}").status == 500

    answer = deliver(receiver, "evt_5")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert answer.problem["code"] == "circuit_open"
    assert len(world.handled) == 5
    refused = world.records()[-1]
    assert (refused["outcome"], refused["event_id"], refused["http_status"]) == ("failed", "evt_5", 503)
    assert refused["error_class"] == "hookvitals.breaker.CircuitOpen"


def test_inline_the_refused_event_is_taken_when_it_comes_again(world: World) -> None:
    """Bug of a guide: while open, its breaker queues an event and refuses it too, so that it runs twice."""
    world.behave = fail
    receiver = world.receiver()
    for number in range(6):
        deliver(receiver, f"evt_{number}")
    world.behave = lambda event: None
    world.clock.now += 60

    statuses = [deliver(receiver, "evt_5", at=world.clock.now).status for _ in range(2)]

    assert statuses == [200, 200]
    assert [event.id for event in world.handled].count("evt_5") == 1
    assert world.outcomes()[-2:] == ["succeeded", "duplicate"]


def test_permanent_failures_leave_the_breaker_closed(world: World) -> None:
    def refuse(event: Event) -> None:
        raise Permanent

    world.behave = refuse
    receiver = world.receiver()

    assert {deliver(receiver, f"evt_{number}").status for number in range(20)} == {422}


def test_while_open_the_inbox_waits_and_no_attempt_is_used_up(world: World) -> None:
    broken = threading.Event()
    broken.set()

    def behave(event: Event) -> None:
        if broken.is_set():
            raise RuntimeError

    world.behave = behave
    receiver = world.inbox(breaker=BreakerPolicy(failures=1))
    assert [deliver(receiver, f"evt_{number}").status for number in range(8)] == [200] * 8
    world.until(lambda: receiver.breaker.state == OPEN)
    assert receiver.inbox is not None
    assert receiver.inbox.depth() == 8
    assert len(world.handled) == 1

    broken.clear()
    world.clock.now += 60
    drained(world, receiver)

    outcomes = [(record["outcome"], record.get("attempt")) for record in world.records()]
    assert outcomes.count(("succeeded", 1)) == 7
    assert outcomes.count(("failed", 1)) == outcomes.count(("succeeded", 2)) == 1
    assert len(world.handled) == 9, "each ran once, and the failed one once more"


def test_the_collector_hears_of_the_breaker(world: World) -> None:
    world.behave = fail
    receiver = world.receiver()
    for number in range(5):
        deliver(receiver, f"evt_{number}")

    world.records()

    assert world.collector.posts[-1].document["client"]["breakers"] == {"production/acme/orders": "open"}


def test_without_a_breaker_every_event_is_tried(world: World) -> None:
    world.behave = fail
    receiver = world.receiver(breaker=None)

    assert {deliver(receiver, f"evt_{number}").status for number in range(20)} == {500}
