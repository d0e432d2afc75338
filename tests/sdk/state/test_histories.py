"""Any history of claims, over every state: leases that end, holders that come too late, work handed over.

A model in a few lines says what each question must be answered.
"""

from itertools import count

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
_events = count()


class Claims(RuleBasedStateMachine):
    """The history of one event; time goes on from one to the next. A holder is the end of its lease."""

    holders: Bundle[int] = Bundle("holders")

    def __init__(self, state: State, clock: Clock) -> None:
        super().__init__()
        self.state, self.clock, self.key = state, clock, f"event {next(_events)}"
        self.what, self.until_us, self.attempts = "working", 0, 0  # or handled, or handed over

    def now_us(self) -> int:
        return int(self.clock.now) * S

    @rule(target=holders, lease_s=st.sampled_from((10, 40)))
    def claim(self, lease_s: int) -> int | MultipleResults[int]:
        now_us = self.now_us()
        told = self.state.claim(self.key, now_us, lease_s * S)
        if self.until_us > now_us:
            assert told is (Claim.BUSY if self.what == "working" else Claim.DONE)
            return multiple()

        assert told is Claim.NEW
        attempts = self.state.attempts(self.key)
        forgotten = self.what != "working" and attempts == 1
        assert forgotten or attempts == self.attempts + 1
        self.what, self.until_us, self.attempts = "working", now_us + lease_s * S, attempts
        return self.until_us

    @rule(seconds=st.sampled_from((1, 10, 40, 2000)))
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(holder=holders, keep_s=st.sampled_from((60, 3000)), handed_over=st.booleans())
    def done(self, holder: int, keep_s: int, handed_over: bool) -> None:
        """Whoever it is: the work is done."""
        self.what, self.until_us = "handed over" if handed_over else "handled", self.now_us() + keep_s * S
        self.state.done(self.key, self.until_us, handed_over=handed_over)

    @rule(holder=holders)
    def release(self, holder: int) -> None:
        self.state.release(self.key, holder, self.now_us())
        if (self.what, self.until_us) == ("working", holder):
            self.until_us = self.now_us()

    @rule()
    def reopen(self) -> None:
        self.state.reopen(self.key, self.now_us())
        if self.what == "handed over":
            self.what, self.until_us = "working", self.now_us()


def test_every_history_of_claims_is_answered_as_the_model_says(state: State, clock: Clock) -> None:
    """practice 13: two copies never both pass, and a late one takes nothing from a present one."""

    class Here(Claims):
        def __init__(self) -> None:
            super().__init__(state, clock)

    run_state_machine_as_test(
        Here,
        settings=settings(max_examples=40, stateful_step_count=40, deadline=None),
    )
