"""error_rate and failure_count: the one type that is out, and the edges of shares and counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from alerts.model import (
    Target,
    Verdict,
    Window,
)
from alerts.rules import make
from tests.alerts.rules.judging import found_by, summary
from tests.alerts.world import (
    World,
    attempts,
    promised,
    usually,
)

DAY = timedelta(days=1)


def typed(succeeded: int, failed: int, **failures_of: tuple[int, int]) -> World:
    """A world whose endpoint had these attempts, and of them each type so many that succeeded and failed."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        good, bad = failures_of[target.event_type] if target.event_type else (succeeded, failed)
        return Window(target, start_at, end_at, succeeded=good, failed=bad)

    return World(window_of=window, event_types=tuple(failures_of))


@pytest.mark.parametrize(
    ("of_type", "verdict"),
    [((29, 30), Verdict.BREACH), ((29, 29), Verdict.OK), ((0, 10), Verdict.BREACH), ((0, 9), Verdict.OK)],
)
def test_a_type_is_out_when_more_than_half_of_ten_failed(of_type: tuple[int, int], verdict: Verdict) -> None:
    world = typed(1000 - of_type[1], of_type[1], voided=of_type)
    found = found_by("error_rate", world, make("error_rate", min_sample=10))
    assert found.verdict is verdict
    assert ("voided" in found.evidence.summary) == (verdict is Verdict.BREACH)


def test_the_type_is_named_of_few_failures_too_once_the_endpoint_fires() -> None:
    assert summary("error_rate", typed(90, 9, voided=(1, 9))).endswith(", 100 % of them voided")


def test_a_type_that_is_out_is_shown_as_the_endpoints_alert() -> None:
    """At exactly the threshold of the endpoint too."""
    found = found_by("error_rate", typed(950, 50, voided=(5, 45)))
    assert (found.verdict, found.labels.get("event_type")) == (Verdict.BREACH, None)
    shown = found.evidence
    assert (shown.value, shown.threshold, shown.unit, shown.sample) == (0.9, 0.5, "share", 50)


@pytest.mark.parametrize(
    ("succeeded", "failed", "verdict", "cleared"),
    [
        (980, 20, Verdict.BREACH, False),  # just 2 %
        (981, 20, Verdict.OK, False),
        (395, 5, Verdict.OK, True),  # no more than the clearing count, though 1.25 %
        (394, 6, Verdict.OK, False),
    ],
)
def test_a_count_is_over_by_number_or_by_half_the_share(
    succeeded: int, failed: int, verdict: Verdict, cleared: bool
) -> None:
    found = found_by("failure_count", attempts(succeeded, failed))
    assert (found.verdict, found.cleared) == (verdict, cleared)


def test_an_error_rate_says_when_the_budget_will_be_gone() -> None:
    lost = usually(promised(0.999, 97_900, 2_100), succeeded=9970, failed=30)
    now, month = lost.window_of, promised(0.999, 9_999_000, 100).window_of
    lost.window_of = lambda target, start_at, end_at: (month if end_at - start_at > 9 * DAY else now)(
        target, start_at, end_at
    )
    rule = make("error_rate", threshold=0.02)
    assert found_by("error_rate", lost, rule).evidence.summary == (
        "2.1 % of stripe/payments failed in 15 min, normally 0.3 % (threshold 2 %), "
        "2,100 of 100,000 attempts; budget gone in 34 h at this rate"
    )


def test_failures_of_a_busy_endpoint_count_only_where_their_share_says_so_too() -> None:
    assert found_by("failure_count", attempts(succeeded=980, failed=19)).verdict is Verdict.OK
    assert found_by("failure_count", attempts(succeeded=979, failed=20)).verdict is Verdict.BREACH


@pytest.mark.parametrize(("failed", "cleared"), [(19, False), (10, False), (9, True)])
def test_failures_are_over_when_half_the_share_is_left(failed: int, cleared: bool) -> None:
    found = found_by("failure_count", attempts(succeeded=1000 - failed, failed=failed))
    assert (found.verdict, found.cleared) == (Verdict.OK, cleared)


def test_a_type_that_is_out_alone_is_named_although_the_endpoint_looks_fine() -> None:
    world = typed(970, 30, paid=(968, 1), voided=(2, 29))
    found = found_by("error_rate", world)
    assert (found.verdict, found.labels.get("event_type")) == (Verdict.BREACH, None)
    assert found.evidence.summary == (
        "93.5 % of stripe/payments voided failed in 15 min (threshold 50 % of one type), 29 of 31 attempts"
    )
    of_any_type = make("error_rate", params={"type_share": 0})
    assert found_by("error_rate", world, of_any_type).verdict is Verdict.OK


@pytest.mark.parametrize(
    "world",
    [
        typed(970, 9, voided=(0, 9)),  # too few to be looked at
        typed(970, 30, paid=(960, 12), voided=(1, 18)),  # 19 of the type: too few to judge
        typed(970, 30, paid=(940, 1), voided=(30, 29)),  # half of them went well
    ],
)
def test_a_type_with_little_or_some_success_is_not_out(world: World) -> None:
    assert found_by("error_rate", world).verdict is Verdict.OK


@pytest.mark.parametrize("kind", ["error_rate", "failure_count"])
def test_the_type_that_fails_is_named(kind: str) -> None:
    assert summary(kind, typed(900, 100, paid=(800, 2), voided=(100, 98))).endswith(", 98 % of them voided")


@pytest.mark.parametrize(
    ("paid", "voided", "named"),
    [
        ((480, 20), (420, 80), True),  # just 80 % of the failures, of just half of the attempts
        ((480, 21), (420, 79), False),
        ((479, 20), (421, 80), False),  # of more than half
    ],
)
def test_a_type_is_named_that_has_most_failures_of_few_attempts(
    paid: tuple[int, int], voided: tuple[int, int], named: bool
) -> None:
    said = summary("error_rate", typed(900, 100, paid=paid, voided=voided))
    assert said.endswith(", 80 % of them voided") == named


@pytest.mark.parametrize("kind", ["error_rate", "failure_count"])
def test_no_type_is_named_where_all_fail_alike(kind: str) -> None:
    said = summary(kind, typed(900, 100, paid=(800, 90), voided=(100, 10)))
    assert said.endswith("attempts")
