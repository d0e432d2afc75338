"""The rules that look at the monitor itself and at who reports to it, and the ticket for a repeated 4xx."""

from datetime import timedelta

import pytest

from alerts.house import Backlog, Instance
from alerts.model import Refusal, Severity, Verdict
from alerts.rules import KINDS, TICKETS, make
from tests.alerts.world import NOW, PAYMENTS, clock_off, housed, lost, statuses

BREACH, OK = Verdict.BREACH, Verdict.OK
SECOND = timedelta(seconds=1)


def test_the_same_4xx_is_a_ticket_by_status_and_what_did_not_verify_is_left_to_its_own_rule() -> None:
    """practice 17"""
    world = statuses({404: 30, 200: 500}, {401: 60, 429: 25}, verification_failures={"bad_signature": 55})
    world.refusals = [Refusal("r1", "rate_limited", "")] * 2
    found = KINDS["repeated_status"].evaluate(make("repeated_status"), PAYMENTS, world, NOW)
    judged = {one.labels["status"]: (one.verdict, one.evidence.value) for one in found}
    assert judged == {"401": (OK, 5), "404": (BREACH, 30), "429": (BREACH, 25)}
    said = "stripe/payments answered 429 to 25 of 615 deliveries in 1 h, mostly rate_limited"
    assert any(one.evidence.summary.startswith(said) for one in found)
    assert "repeated_status" in TICKETS


def test_a_full_disk_pages_and_a_full_budget_does_not() -> None:
    rule = make("store_near_budget")
    kind = KINDS["store_near_budget"]
    for free, severity in ((4, Severity.WARNING), (2, Severity.CRITICAL)):
        world = housed(used_bytes=1, budget_bytes=100, disk_bytes=100, disk_free_bytes=free)
        [found] = kind.evaluate(rule, PAYMENTS, world, NOW)
        assert (found.verdict, found.severity) == (BREACH, severity)
        assert "disk" in found.evidence.summary
    [found] = kind.evaluate(rule, PAYMENTS, housed(used_bytes=100, budget_bytes=100), NOW)
    assert (found.verdict, found.severity) == (BREACH, Severity.WARNING)


def test_a_skewed_clock_is_named_with_its_way() -> None:
    """practice 20"""
    [found] = KINDS["clock_skew"].evaluate(make("clock_skew"), PAYMENTS, clock_off(-45 * SECOND), NOW)
    assert found.evidence.summary == (
        "The monitor's clock is not that of its receivers: web-1 is 45 s behind (threshold 30 s)"
    )


@pytest.mark.parametrize(
    ("skews", "said"),
    [
        ([31], "web-0 is 31 s ahead (threshold 30 s)"),
        ([30, -90, 0, 45], "web-1 is 90 s behind, web-3 is 45 s ahead (threshold 30 s)"),
        ([31, 33, 32], "web-1 is 33 s ahead, web-2 is 32 s ahead, web-0 is 31 s ahead (threshold 30 s)"),
        (
            [31, 33, 32, 34, 35],
            "web-4 is 35 s ahead, web-3 is 34 s ahead, web-1 is 33 s ahead and 2 more (threshold 30 s)",
        ),
    ],
)
def test_the_clocks_that_are_furthest_off_are_named_first(skews: list[int], said: str) -> None:
    told = [Instance(f"web-{n}", NOW - timedelta(minutes=15), skew * SECOND) for n, skew in enumerate(skews)]
    silent = [Instance("no-clock", NOW), Instance("gone", NOW - timedelta(minutes=16), 99 * SECOND)]
    [found] = KINDS["clock_skew"].evaluate(
        make("clock_skew"), PAYMENTS, housed(instances=[*silent, *told]), NOW
    )
    assert found.evidence.summary == f"The monitor's clock is not that of its receivers: {said}"
    assert (found.evidence.value, found.evidence.sample) == (max(map(abs, skews)), len(skews))


def test_an_instance_that_ended_is_not_asked_for_its_clock() -> None:
    world = housed(instances=[Instance("gone", NOW - timedelta(hours=1), timedelta(hours=2))])
    [found] = KINDS["clock_skew"].evaluate(make("clock_skew"), PAYMENTS, world, NOW)
    assert found.verdict is Verdict.NO_DATA


def test_records_nobody_knows_of_are_named_with_those_that_were_dropped() -> None:
    world = lost(dropped=7, missing=5)
    [found] = KINDS["client_drops"].evaluate(make("client_drops"), PAYMENTS, world, NOW)
    assert found.evidence.summary == (
        "The monitor misses 12 records of web-1 (threshold 0), counted from the start of the process: "
        "7 memory_full, 5 unaccounted for"
    )
    [found] = KINDS["client_drops"].evaluate(
        make("client_drops"), PAYMENTS, lost(dropped=7, missing=5, ago=timedelta(hours=1)), NOW
    )
    assert (found.verdict, found.evidence.value) == (BREACH, 5)


def test_each_stuck_channel_has_an_alert_of_its_own() -> None:
    backlogs = [Backlog("chat", 1, NOW - timedelta(hours=1)), Backlog("mail", 3, NOW)]
    found = KINDS["outbox_stuck"].evaluate(make("outbox_stuck"), PAYMENTS, housed(backlogs=backlogs), NOW)
    assert [(one.labels["channel"], one.verdict) for one in found] == [("chat", BREACH), ("mail", OK)]
    assert "cannot tell chat: 1 message waits, the oldest for 1 h" in found[0].evidence.summary


def test_one_recipient_of_several_who_cannot_be_told_pages_nobody() -> None:
    long_ago = NOW - timedelta(hours=1)
    backlogs = [Backlog("mail", 1, long_ago), Backlog("mail for ann@example.com", 1, long_ago)]
    found = KINDS["outbox_stuck"].evaluate(make("outbox_stuck"), PAYMENTS, housed(backlogs=backlogs), NOW)
    assert [(one.verdict, one.severity) for one in found] == [
        (BREACH, Severity.CRITICAL),
        (BREACH, Severity.WARNING),
    ]


def dropping(name: str, ago: timedelta | None, missing: int = 0, **dropped: int) -> Instance:
    """A process that dropped so many records by reason, the last of them so long ago."""
    return Instance(name, NOW, None, dropped, None if ago is None else NOW - ago, missing)


def test_the_process_that_lost_most_is_named_with_the_three_commonest_reasons() -> None:
    minute = timedelta(minutes=1)
    world = housed(
        instances=[
            dropping("web-1", minute, memory_full=2, refused=1),
            dropping("web-2", minute, memory_full=3, refused=1, too_large=4, spool_full=9),
            dropping("web-3", minute, memory_full=0),
            dropping("web-4", None, spool_full=50),
            dropping("web-5", timedelta(minutes=15), spool_full=50),
            Instance("gone", NOW - timedelta(minutes=16), None, {"spool_full": 50}, NOW),
        ]
    )
    [found] = KINDS["client_drops"].evaluate(make("client_drops"), PAYMENTS, world, NOW)
    assert found.evidence.summary == (
        "The monitor misses 20 records of web-2 and 1 more (threshold 0), counted from the start of the "
        "process: 9 spool_full, 5 memory_full, 4 too_large"
    )
    assert [(one.name, one.count) for one in found.evidence.top_errors] == [
        ("spool_full", 9),
        ("memory_full", 5),
        ("too_large", 4),
        ("refused", 2),
    ]
    assert found.evidence.sample == 5


def test_a_process_heard_of_a_window_ago_still_counts() -> None:
    world = housed(instances=[Instance("web-1", NOW - timedelta(minutes=15), missing=1)])
    [found] = KINDS["client_drops"].evaluate(make("client_drops"), PAYMENTS, world, NOW)
    assert found.verdict is BREACH


@pytest.mark.parametrize("kind", ["evaluator_late", "monitor_blind", "outbox_stuck"])
def test_a_clock_that_went_back_is_no_delay(kind: str) -> None:
    ahead = NOW + timedelta(hours=1)
    world = housed(evaluated_at=ahead, backlogs=[Backlog("mail", 1, ahead)])
    world.heartbeat_at = ahead
    [found] = KINDS[kind].evaluate(make(kind), PAYMENTS, world, NOW)
    assert found.verdict is Verdict.OK
    assert "0 s" in found.evidence.summary


@pytest.mark.parametrize(
    ("free", "used", "value", "severity", "said"),
    [
        (3, 0, 0.97, Severity.WARNING, "The monitor's disk is 97 % full"),  # just not beyond
        (9, 95, 0.95, Severity.WARNING, "The monitor's facts use 95 % of their budget"),
        (
            9,
            91,
            0.91,
            Severity.WARNING,
            "The monitor's facts use 91 % of their budget",
        ),  # as full: the budget
        (2, 99, 0.99, Severity.CRITICAL, "The monitor's facts use 99 % of their budget"),
    ],
)
def test_the_fuller_of_budget_and_disk_is_said(
    free: int, used: int, value: float, severity: Severity, said: str
) -> None:
    world = housed(used_bytes=used, budget_bytes=100, disk_bytes=100, disk_free_bytes=free)
    [found] = KINDS["store_near_budget"].evaluate(make("store_near_budget"), PAYMENTS, world, NOW)
    assert (found.verdict, found.severity) == (BREACH, severity)
    assert found.evidence.value == pytest.approx(value)
    assert found.evidence.summary.startswith(said)
