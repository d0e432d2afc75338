import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.dead_letters import ItemState, LetterRecord
from monitor.model import Outcome
from monitor.replay.verdict import verdict
from tests.monitor.replay.test_letters import record


def found(*outcomes: Outcome) -> ItemState | None:
    said = verdict([record(outcome, second, "ri_1") for second, outcome in enumerate(outcomes)])
    return None if said is None else said.state


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.SUCCEEDED, ItemState.SUCCEEDED),
        (Outcome.DUPLICATE, ItemState.SUCCEEDED),
        (Outcome.FAILED, ItemState.FAILED),
        (Outcome.DEAD_LETTERED, ItemState.FAILED),
        (Outcome.REJECTED, ItemState.FAILED),
        (Outcome.UNHANDLED, ItemState.FAILED),
        (Outcome.STALE, ItemState.SKIPPED),
        (Outcome.ACCEPTED, None),
    ],
)
def test_each_outcome_settles_as_the_design_says(outcome: Outcome, state: ItemState | None) -> None:
    assert found(outcome) is state


def test_a_failure_that_the_receiver_retried_with_success_is_a_success() -> None:
    assert found(Outcome.ACCEPTED, Outcome.FAILED, Outcome.SUCCEEDED) is ItemState.SUCCEEDED


def test_nothing_after_a_success_undoes_it() -> None:
    assert found(Outcome.SUCCEEDED, Outcome.REJECTED, Outcome.DEAD_LETTERED) is ItemState.SUCCEEDED


@given(st.permutations([record(outcome, n, "ri_1") for n, outcome in enumerate(Outcome)]))
def test_any_order_of_arrival_gives_the_same_verdict(records: list[LetterRecord]) -> None:
    assert verdict(records) == verdict(sorted(records, key=lambda one: one.record_id))
