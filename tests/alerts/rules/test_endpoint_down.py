"""endpoint_down: what it says of a probe, and how old one may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import (
    ErrorCount,
    Evaluation,
    ProbeKind,
    ProbeResult,
    Verdict,
)
from alerts.rules import KINDS, make
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    canaries_lost,
    down,
    probed,
)

BAD = ProbeResult(ProbeKind.HTTP, ok=False, checked_at=NOW, consecutive_failures=3)
AGE = timedelta(minutes=5)


def judged(*results: ProbeResult) -> Evaluation:
    [found] = KINDS["endpoint_down"].evaluate(make("endpoint_down"), PAYMENTS, probed(*results), NOW)
    return found


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (replace(BAD, error="timeout", status=500), "timeout"),
        (replace(BAD, status=502), "HTTP 502"),
        (BAD, "no answer"),
    ],
)
def test_what_is_wrong_is_the_error_or_else_the_status(result: ProbeResult, said: str) -> None:
    found = judged(replace(result, consecutive_failures=1))
    assert found.evidence.summary.endswith(f"the last with {said}")
    assert found.evidence.top_errors == (ErrorCount(said, 1),)


def test_the_errors_are_those_of_the_row_most_frequent_first() -> None:
    older = replace(BAD, error="reset", consecutive_failures=1)
    good = replace(BAD, ok=True, consecutive_failures=0)
    row = [replace(BAD, error=error) for error in ("refused", "timeout", "timeout")]
    assert judged(*row, good, older, older, older).evidence.top_errors == (
        ErrorCount("timeout", 2),
        ErrorCount("refused", 1),
    )
    assert judged(good, older).evidence.top_errors == ()


def test_an_answer_of_unknown_length_is_said_without_one() -> None:
    assert judged(replace(BAD, ok=True, consecutive_failures=0)).evidence.summary == "stripe/payments answers"


@pytest.mark.parametrize(("kind", "age"), [("endpoint_down", AGE), ("canary_lost", timedelta(minutes=30))])
def test_a_look_as_old_as_the_window_still_counts(kind: str, age: timedelta) -> None:
    world = down(3, checked_before=age) if kind == "endpoint_down" else canaries_lost(3, checked_before=age)
    [found] = KINDS[kind].evaluate(make(kind), PAYMENTS, world, NOW)
    assert found.verdict is Verdict.BREACH


def test_downtime_evidence_tells_since_when_and_with_which_errors() -> None:
    [found] = KINDS["endpoint_down"].evaluate(KINDS["endpoint_down"].defaults, PAYMENTS, down(4), NOW)
    assert found.evidence.window_start_at == NOW - timedelta(minutes=3)
    assert found.evidence.top_errors == (ErrorCount("connection refused", 4),)
