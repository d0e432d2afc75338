"""What every State promises, whatever keeps it."""

import threading

import pytest

from hookvitals.state import Claim, State
from tests.sdk.state.places import KINDS
from tests.sdk.world import Clock

S = 1_000_000
DAY = 86_400 * S
own_expiry = pytest.mark.parametrize("place", [kind for kind in KINDS if kind != "redis"], indirect=True)
"""Redis expires by its own clock, which no test moves."""


def test_the_first_to_ask_has_it_and_the_next_must_wait(state: State) -> None:
    assert state.claim("k", 0, 10 * S) is Claim.NEW
    assert state.claim("k", 9 * S, 10 * S) is Claim.BUSY
    assert state.claim("other", 9 * S, 10 * S) is Claim.NEW


def test_a_lease_that_ended_may_be_taken_over_and_counts_as_another_attempt(state: State) -> None:
    state.claim("k", 0, 10 * S)

    assert state.claim("k", 10 * S, 10 * S) is Claim.NEW
    assert state.attempts("k") == 2


def test_what_was_released_may_be_had_at_once(state: State) -> None:
    state.claim("k", 0, 10 * S)
    state.release("k", 10 * S, 1 * S)

    assert state.claim("k", 1 * S, 10 * S) is Claim.NEW
    assert state.attempts("k") == 2


def test_who_outlived_its_lease_frees_nobody_elses_claim(state: State) -> None:
    state.claim("k", 0, 10 * S)
    state.claim("k", 10 * S, 10 * S)
    state.release("k", 10 * S, 11 * S)

    assert state.claim("k", 12 * S, 10 * S) is Claim.BUSY
    state.release("k", 20 * S, 13 * S)
    assert state.claim("k", 13 * S, 10 * S) is Claim.NEW


def test_what_one_has_done_no_other_undoes(state: State) -> None:
    """The first outlived its lease and went well; the second, which took over, did not."""
    state.claim("k", 0, 10 * S)
    state.claim("k", 10 * S, 10 * S)
    state.done("k", 100 * S)
    state.release("k", 20 * S, 12 * S)

    assert state.claim("k", 13 * S, 10 * S) is Claim.DONE


def test_what_was_handed_over_is_done_until_it_is_reopened(state: State) -> None:
    for key, handed_over in (("handled", False), ("handed over", True)):
        state.claim(key, 0, 10 * S)
        state.done(key, 100 * S, handed_over=handed_over)
        assert state.claim(key, 11 * S, 10 * S) is Claim.DONE
        state.reopen(key, 12 * S)
    state.reopen("unheard of", 12 * S)

    assert state.claim("handled", 12 * S, 10 * S) is Claim.DONE
    assert state.claim("handed over", 12 * S, 10 * S) is Claim.NEW
    state.reopen("handed over", 13 * S)
    assert state.claim("handed over", 13 * S, 10 * S) is Claim.BUSY
    assert state.attempts("unheard of") == 0


def test_what_is_done_stays_done_until_it_is_forgotten(state: State) -> None:
    state.claim("k", 0, 10 * S)
    state.done("k", 100 * S)

    assert state.claim("k", 99 * S, 10 * S) is Claim.DONE
    assert state.claim("k", 101 * S, 10 * S) is Claim.NEW


def test_a_note_takes_its_next_value_from_its_last_however_many_change_it_at_once(state: State) -> None:
    assert state.change("n", lambda was: b"first" if was is None else b"other", 100 * S) == b"first"

    def more() -> None:
        for _ in range(50):
            state.change("count", lambda was: str(int(was or b"0") + 1).encode(), 100 * S)

    threads = [threading.Thread(target=more) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.change("count", lambda was: was or b"", 100 * S) == b"200"


def test_the_newest_version_is_kept_in_whatever_order_they_come(state: State) -> None:
    assert state.version("r") is None
    for version in (2.0, 9.0, 5.0):
        state.advance("r", version, 0)

    assert state.version("r") == 9.0
    assert state.version("q") is None


@own_expiry
def test_what_has_expired_is_dropped_now_and_then_and_what_has_not_is_kept(state: State) -> None:
    """practice 13: memory of events is bounded by the time that a sender may repeat them in."""
    for key, until in (("old", 1 * S), ("kept", 30 * DAY)):
        state.claim(key, 0, 10 * S)
        state.done(key, until)
    state.claim("failing", 0, 10 * S)
    state.release("failing", 10 * S, 1 * S)
    state.advance("resource", 1.0, 0)

    claim_until_forgotten(state, "old", 2 * DAY)

    assert state.attempts("failing") == 1, "an unfinished one still counts its attempts"
    assert state.version("resource") == 1.0
    assert state.claim("kept", 2 * DAY, 10 * S) is Claim.DONE
    claim_until_forgotten(state, "failing", 9 * DAY)
    assert state.claim("kept", 29 * DAY, 10 * S) is Claim.DONE
    for number in range(10_001):
        if state.version("resource") is None:
            break
        state.claim(f"k{number % 3}", 29 * DAY, 10 * S)
    assert state.version("resource") is None, "nor is a version for ever"


def claim_until_forgotten(state: State, key: str, now_us: int) -> None:
    for number in range(10_001):
        if state.attempts(key) == 0:
            return
        state.claim(f"k{number % 3}", now_us, 10 * S)
    raise AssertionError(f"{key} is remembered for ever")


@own_expiry
def test_a_note_is_forgotten_at_its_time(state: State, clock: Clock) -> None:
    state.change("n", lambda was: b"first", 100 * S)

    clock.now = 99.9
    assert state.change("n", lambda was: b"%r then" % was, 100 * S) == b"b'first' then"
    clock.now = 100.0
    assert state.change("n", lambda was: b"%r then" % was, 200 * S) == b"None then"


def test_an_empty_note_is_a_note(state: State) -> None:
    state.change("n", lambda was: b"", 100 * S)

    assert state.change("n", lambda was: b"%r then" % was, 100 * S) == b"b'' then"


def test_a_note_holds_any_bytes(state: State) -> None:
    every = bytes(range(256)) * 4
    state.change("n", lambda was: every, 100 * S)

    assert state.change("n", lambda was: was or b"", 100 * S) == every


def test_a_change_that_fails_changes_nothing(state: State) -> None:
    state.change("n", lambda was: b"first", 100 * S)

    def fail(was: bytes | None) -> bytes:
        raise LookupError(was)

    with pytest.raises(LookupError, match="first"):
        state.change("n", fail, 100 * S)
    assert state.change("n", lambda was: was or b"", 100 * S) == b"first"


def test_what_nobody_claimed_may_be_done_and_need_not_be_released(state: State) -> None:
    """Its claim may have been forgotten while it was worked."""
    state.done("done", 100 * S)
    state.release("released", 10 * S, 0)

    assert state.claim("done", 0, 10 * S) is Claim.DONE
    assert state.attempts("done") == 0
    assert state.claim("released", 0, 10 * S) is Claim.NEW
    assert state.attempts("released") == 1


@pytest.mark.parametrize(
    "names",
    [
        ("evt_A", "evt_a"),
        ("e", "e "),
        ("é", "e\u0301"),
        ("a\x00", "a"),
        ("k" * 5000, "k" * 4999),
    ],
)
def test_names_that_look_alike_are_two(state: State, names: tuple[str, str]) -> None:
    """practice 13: no event is taken for a copy of another."""
    for number, name in enumerate(names):
        assert state.claim(name, 0, 10 * S) is Claim.NEW
        state.advance(name, float(number), 0)
        state.change(name, lambda was: b"%r" % was, 100 * S)

    assert [state.version(name) for name in names] == [0.0, 1.0]
    assert [state.attempts(name) for name in names] == [1, 1]


@pytest.mark.parametrize("version", [0.1 + 0.2, 1_800_000_000_123_456.0, -5e-324, 1e308])
def test_a_version_comes_back_to_the_last_digit(state: State, version: float) -> None:
    state.advance("r", version, 0)

    assert state.version("r") == version


def test_threads_share_one_state(state: State) -> None:
    taken: list[str] = []
    together = threading.Barrier(8)

    def claim() -> None:
        together.wait()
        for number in range(20):
            if state.claim(f"k{number}", 0, 10 * S) is Claim.NEW:
                taken.append(f"k{number}")

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(f"k{number}" for number in range(20))
