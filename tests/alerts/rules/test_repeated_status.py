"""repeated_status: which answers it counts, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from alerts.model import ErrorCount, Evaluation, Refusal, Target, Verdict
from alerts.rules import KINDS, make
from tests.alerts.rules.judging import found_by
from tests.alerts.world import NOW, PAYMENTS, World, statuses


def by_status(world: World) -> dict[str, Evaluation]:
    found = KINDS["repeated_status"].evaluate(make("repeated_status"), PAYMENTS, world, NOW)
    return {one.labels["status"]: one for one in found}


def test_an_answer_is_said_with_how_many_of_how_many_and_why() -> None:
    world = statuses({200: 61, 404: 9}, {404: 30})
    world.refusals = [Refusal(f"r{n}", "too_large" if n else "malformed_body", "") for n in range(3)]
    world.refusals += [Refusal("r9", "", "")] * 5
    shown = found_by("repeated_status", world).evidence
    assert shown.summary == (
        "stripe/payments answered 404 to 39 of 100 deliveries in 1 h, mostly too_large (threshold 20)"
    )
    assert shown.top_errors == (ErrorCount("too_large", 2), ErrorCount("malformed_body", 1))


@pytest.mark.parametrize(
    "world", [statuses({}, {404: 20}), statuses({404: 21}), statuses({404: 50}, {410: 5})]
)
def test_no_rejection_is_read_below_the_threshold_or_where_none_was_rejected(world: World) -> None:
    class Unread(World):
        def refused(self, target: Target, start_at: datetime, end_at: datetime) -> Sequence[Refusal]:
            raise AssertionError("rejections were read")

    assert by_status(Unread(window_of=world.window_of))["404"].evidence.top_errors == ()


@pytest.mark.parametrize(
    ("unverified", "left"),
    [
        (30, {"403": 25}),  # all 401, and five of 403
        (24, {"401": 1, "403": 30}),
        (60, {}),
    ],
)
def test_what_did_not_verify_is_taken_from_401_first_and_then_from_403(
    unverified: int, left: dict[str, int]
) -> None:
    world = statuses({200: 9}, {401: 25, 403: 30}, verification_failures={"bad_signature": unverified})
    found = KINDS["repeated_status"].evaluate(make("repeated_status"), PAYMENTS, world, NOW)
    assert {one.labels["status"]: one.evidence.value for one in found if "status" in one.labels} == left
    assert left or found[0].verdict is Verdict.OK


def test_where_no_4xx_was_answered_that_is_said() -> None:
    found = found_by("repeated_status", statuses({200: 9, 503: 50}))
    assert found.evidence.summary == "No delivery to stripe/payments was answered 4xx in 1 h"
    assert (found.evidence.value, found.evidence.sample) == (0, 59)


def test_only_4xx_count() -> None:
    assert set(by_status(statuses({200: 9, 302: 99, 399: 99, 400: 1, 499: 1, 500: 99}))) == {"400", "499"}
