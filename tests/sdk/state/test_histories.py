"""Any history of claims, over every state: leases that end, holders that come too late, work handed over.

A model in a few lines says what each question must be answered.
"""

from itertools import count
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)

from hookvitals.state import Claim, State
from tests.sdk.world import Clock

S = 1_000_000
KEYS = st.sampled_from("ab")
_histories = count()


class Held(NamedTuple):
    """Who was told NEW. until_us: the end of the lease."""

    key: str
    until_us: int


class Claims(RuleBasedStateMachine):
    """One history. Time goes on from one to the next, and each has keys of its own."""

    holders: Bundle[Held] = Bundle("holders")

    def __init__(self, state: State, clock: Clock) -> None:
        super().__init__()
        self.state, self.clock, self.own = state, clock, next(_histories)
        self.model: dict[str, tuple[str, int]] = {}  # key → (working, handled or handed over; until_us)
        self.attempts: dict[str, int] = {}

    def key(self, name: str) -> str:
        return f"{name} of history {self.own}"

    def now_us(self) -> int:
        return int(self.clock.now) * S

    @rule(target=holders, name=KEYS, lease_s=st.integers(1, 40))
    def claim(self, name: str, lease_s: int) -> Held | MultipleResults[Held]:
        key, now_us = self.key(name), self.now_us()
        what, until_us = self.model.get(key, ("working", 0))
        told = self.state.claim(key, now_us, lease_s * S)

        if until_us > now_us:
            assert told is (Claim.BUSY if what == "working" else Claim.DONE)
            return multiple()
        assert told is Claim.NEW
        self.model[key] = ("working", now_us + lease_s * S)
        made = self.state.attempts(key)
        forgotten = what != "working" and made == 1
        assert forgotten or made == self.attempts.get(key, 0) + 1
        self.attempts[key] = made
        return Held(key, now_us + lease_s * S)

    @rule(seconds=st.sampled_from((1, 10, 39, 40, 2000)))
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(holder=holders, keep_s=st.integers(1000, 3000), handed_over=st.booleans())
    def done(self, holder: Held, keep_s: int, handed_over: bool) -> None:
        until_us = self.now_us() + keep_s * S
        self.state.done(holder.key, until_us, handed_over=handed_over)
        self.model[holder.key] = ("handed over" if handed_over else "handled", until_us)

    @rule(holder=holders)
    def release(self, holder: Held) -> None:
        self.state.release(holder.key, holder.until_us, self.now_us())
        if self.model[holder.key] == ("working", holder.until_us):
            self.model[holder.key] = ("working", self.now_us())

    @rule(name=KEYS)
    def reopen(self, name: str) -> None:
        key = self.key(name)
        self.state.reopen(key, self.now_us())
        if self.model.get(key, ("", 0))[0] == "handed over":
            self.model[key] = ("working", self.now_us())


def test_every_history_of_claims_is_answered_as_the_model_says(state: State, clock: Clock) -> None:
    """practice 13: two copies never both pass, and a late one takes nothing from a present one."""

    class Here(Claims):
        def __init__(self) -> None:
            super().__init__(state, clock)

    run_state_machine_as_test(
        Here,
        settings=settings(max_examples=40, stateful_step_count=30, deadline=None),
    )
