"""What a sender changes without a word: types, addresses, secrets."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import Evaluation, Severity, Terms, Verdict
from alerts.rules import KINDS, TICKETS, make
from alerts.rules.drift import MOST
from alerts.sightings import Aspect, Declared, Sighting
from tests.alerts.rules.judging import found_by
from tests.alerts.world import NOW, PAYMENTS, RECORD_ID, World, sighted

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BREACH = Verdict.BREACH


def breaches(kind: str, world: World) -> list[Evaluation]:
    found = KINDS[kind].evaluate(make(kind), PAYMENTS, world, NOW)
    return [one for one in found if one.verdict is BREACH]


def test_a_new_type_and_a_new_address_are_a_ticket_each_with_first_seen_and_a_sample() -> None:
    """practice 46, 8, 18"""
    world = sighted(
        (Aspect.TYPE, "invoice.voided", 2 * HOUR, HOUR), (Aspect.ADDRESS, "203.0.113.7", HOUR, HOUR)
    )
    new_type, address = breaches("drift", world)
    assert new_type.evidence.summary == (
        "New event type at stripe/payments: invoice.voided, first seen 2026-11-21 01:00 UTC"
    )
    assert new_type.evidence.exemplars == (RECORD_ID,)
    assert address.labels["value"] == "203.0.113.7"
    assert "drift" in TICKETS


def test_of_many_changes_types_come_first_and_the_rest_is_counted() -> None:
    fields = [(Aspect.FIELD, f"field_{n}", HOUR, HOUR) for n in range(MOST)]
    types = [(Aspect.TYPE, f"type.{n}", 2 * HOUR, HOUR) for n in range(5)]
    *tickets, more = breaches("drift", sighted(*fields, *types))
    assert [one.labels["drift"] for one in tickets] == ["event type"] * 5 + ["field"] * (MOST - 5)
    assert more.labels["drift"] == "more"
    assert more.evidence.summary == (
        "5 more changes at stripe/payments have no ticket of their own: see its page"
    )
    assert len(breaches("drift", sighted(*fields))) == MOST


def test_a_new_secret_is_a_matter_of_its_rotation() -> None:
    assert (
        breaches("drift", sighted((Aspect.SECRET, "a1b2", HOUR, HOUR), (Aspect.SECRET, "c3", 50 * DAY, DAY)))
        == []
    )


def test_nothing_is_new_while_an_endpoint_is_learnt() -> None:
    week = [Sighting(Aspect.TYPE, "ping", NOW - 7 * DAY, NOW, RECORD_ID)]
    fresh = Sighting(Aspect.TYPE, "pong", NOW - HOUR, NOW, RECORD_ID)
    assert breaches("drift", World(sighted=[*week, fresh])) == []
    older = [replace(week[0], first_at=NOW - 8 * DAY)]
    assert len(breaches("drift", World(sighted=[*older, fresh]))) == 1


def test_a_receiver_that_begins_to_tell_of_fields_tells_nothing_new_for_a_week() -> None:
    world = sighted()
    old_types = [one for one in world.sighted if one.aspect is not Aspect.FIELD]
    fields = [Sighting(Aspect.FIELD, name, NOW - HOUR, NOW, "evt_1") for name in ("id", "type", "data")]
    assert breaches("drift", World(sighted=[*old_types, *fields])) == []


def test_a_new_field_a_new_version_and_new_headers_name_the_event_that_showed_them() -> None:
    """practice 46, 19"""
    known = [
        Sighting(aspect, "1", NOW - 30 * DAY, NOW, "evt_1")
        for aspect in (Aspect.SPEC_VERSION, Aspect.SIGNATURE_HEADERS)
    ]
    world = sighted((Aspect.FIELD, "livemode", 2 * HOUR, HOUR), (Aspect.SPEC_VERSION, "2", HOUR, HOUR))
    world.sighted = [
        *known,
        *(replace(one, sample="evt_9") for one in world.sighted),
        Sighting(Aspect.SIGNATURE_HEADERS, "webhook-signature, x-new", NOW - HOUR, NOW, "evt_9"),
    ]
    said = {one.labels["drift"]: one.evidence.summary for one in breaches("drift", world)}
    assert said == {
        "field": "New field at stripe/payments: livemode, first seen 2026-11-21 01:00 UTC, event evt_9",
        "spec version": "New spec version at stripe/payments: 2, "
        "first seen 2026-11-21 02:00 UTC, event evt_9",
        "signature headers": "New signature headers at stripe/payments: webhook-signature, x-new, "
        "first seen 2026-11-21 02:00 UTC, event evt_9",
    }


def test_one_more_address_of_many_is_no_news() -> None:
    pool = [(Aspect.ADDRESS, f"203.0.113.{i}", 50 * DAY, HOUR) for i in range(20)]
    assert breaches("drift", sighted(*pool, (Aspect.ADDRESS, "198.51.100.1", HOUR, HOUR))) == []


@pytest.mark.parametrize(("known", "news"), [(18, 1), (19, 0)])
def test_an_address_is_news_where_there_are_up_to_twenty(known: int, news: int) -> None:
    pool = [(Aspect.ADDRESS, f"203.0.113.{i}", 50 * DAY, HOUR) for i in range(known)]
    world = sighted(*pool, (Aspect.ADDRESS, "198.51.100.1", HOUR, HOUR), (Aspect.TYPE, "voided", HOUR, HOUR))
    assert [one.labels["drift"] for one in breaches("drift", world)] == ["event type"] + ["address"] * news


@pytest.mark.parametrize(("length", "said"), [(80, "x" * 80), (81, "x" * 79 + "…")])
def test_a_long_value_is_cut(length: int, said: str) -> None:
    world = sighted((Aspect.FIELD, "x" * length, HOUR, HOUR))
    world.said = Declared(expected=frozenset({"x" * length}), handled=frozenset({"x" * length + "y"}))
    world.last_at = None
    new, stopped, unused = breaches("drift", world)
    assert {one.labels["value"] for one in (new, stopped)} == {said}
    assert [one.labels["drift"] for one in (stopped, unused)] == ["expected type", "handled type"]
    assert f": {said}, first" in new.evidence.summary
    assert f"expects {said}," in stopped.evidence.summary


def test_a_type_without_an_example_has_none() -> None:
    """Nothing but the rollups may know of it."""
    world = sighted()
    world.sighted = [*world.sighted, Sighting(Aspect.TYPE, "rare", NOW - HOUR, NOW, "")]
    [found] = breaches("drift", world)
    assert found.evidence.exemplars == ()


@pytest.mark.parametrize(("days", "is_news"), [(7, False), (6.99, False), (7.01, True)])
def test_an_expected_type_has_stopped_after_more_than_seven_days(days: float, is_news: bool) -> None:
    world = sighted()
    world.said = Declared(expected=frozenset({"paid"}), handled=frozenset({"paid"}))
    world.last_at = NOW - days * DAY
    assert bool(breaches("drift", world)) == is_news
    world.sighted = [replace(one, first_at=NOW - 7 * DAY) for one in world.sighted]
    assert breaches("drift", world) == [], "an endpoint that is still learnt"


def test_types_that_stopped_within_hours_are_told_by_name_in_order() -> None:
    world = sighted()
    world.said, world.last_at = Declared(expected=frozenset("cab")), NOW - 3 * HOUR
    rule = make("drift", params={"silent_days": 0.1})
    found = KINDS["drift"].evaluate(rule, PAYMENTS, world, NOW)
    assert [one.labels["value"] for one in found] == ["a", "b", "c"]
    assert "expects a, and none came in 2 h 24 min; the last came" in found[0].evidence.summary


def test_what_is_handled_can_be_left_untold() -> None:
    world = sighted()
    world.said, world.last_at = Declared(handled=frozenset({"refund.made"})), None
    rule = make("drift", params={"handled_days": 0})
    assert found_by("drift", world, rule).verdict is not BREACH


def test_an_expected_type_that_stopped_or_never_came_is_a_ticket() -> None:
    """practice 18"""
    world = sighted()
    world.said = Declared(expected=frozenset({"payout.paid"}))
    world.last_at = NOW - 8 * DAY
    [stopped] = breaches("drift", world)
    assert stopped.evidence.summary == (
        "stripe/payments expects payout.paid, and none came in 7 d; the last came 2026-11-13 03:00 UTC"
    )
    world.last_at = None
    [never] = breaches("drift", world)
    assert never.evidence.summary.endswith("none came in 7 d; it never did")
    world.last_at = NOW - 6 * DAY
    assert breaches("drift", world) == []


def test_a_type_that_is_handled_by_name_and_never_came_is_a_ticket_once_the_endpoint_is_old_enough() -> None:
    """practice 18"""
    world = sighted()
    world.said = Declared(handled=frozenset({"refund.made", "invoice.*"}))
    world.last_at = None
    [found] = breaches("drift", world)
    assert found.evidence.summary == "stripe/payments handles refund.made, and none ever came in 30 d"
    young = [replace(one, first_at=NOW - 29 * DAY) for one in world.sighted]
    world.sighted = young
    assert breaches("drift", world) == []
    world.last_at = NOW - 90 * DAY
    world.sighted = sighted().sighted
    assert breaches("drift", world) == []


def test_a_secret_of_more_than_90_days_is_to_be_rotated() -> None:
    """practice 22"""
    [found] = breaches("secret_rotation", sighted((Aspect.SECRET, "a1b2", 91 * DAY, HOUR)))
    assert (
        "stripe/payments: secret a1b2 is in use for 91 d (at most 90 d), since 2026-08-22"
        in found.evidence.summary
    )
    assert "secret_rotation" in TICKETS


def test_an_old_secret_is_safe_to_remove_once_nothing_is_sent_again_that_it_signed() -> None:
    """practice 22"""
    new = (Aspect.SECRET, "new", 5 * DAY, HOUR)
    world = sighted((Aspect.SECRET, "old", 80 * DAY, 3 * DAY), new)
    world.agreed = Terms(retry_horizon=3 * DAY)
    assert breaches("secret_rotation", world) == []
    world.agreed = Terms(retry_horizon=2 * DAY)
    [found] = breaches("secret_rotation", world)
    assert "secret old is safe to remove: unused for 3 d" in found.evidence.summary
    gone = sighted((Aspect.SECRET, "old", 99 * DAY, 60 * DAY), new)
    assert breaches("secret_rotation", gone) == []


def test_a_secret_that_is_no_longer_needed_is_told_of_for_thirty_days_with_what_replaced_it() -> None:
    new = (Aspect.SECRET, "new", 60 * DAY, HOUR)
    [found] = breaches("secret_rotation", sighted((Aspect.SECRET, "old", 80 * DAY, 31 * DAY), new))
    assert found.evidence.summary == (
        "stripe/payments: secret old is safe to remove: unused for 31 d, longer than events are sent again, "
        "while new verifies"
    )
    shown = found.evidence
    assert (shown.value, shown.threshold, shown.unit) == (31, 1, "days")
    assert (shown.window_start_at, found.labels["rotation"]) == (NOW - 31 * DAY, "unused")
    longer = sighted((Aspect.SECRET, "old", 80 * DAY, 31 * DAY + HOUR), new)
    assert breaches("secret_rotation", longer) == []


def test_two_secrets_may_overlap_for_thirty_days() -> None:
    old = (Aspect.SECRET, "old", 80 * DAY, HOUR)
    assert breaches("secret_rotation", sighted(old, (Aspect.SECRET, "new", 30 * DAY, HOUR))) == []
    [found] = breaches("secret_rotation", sighted(old, (Aspect.SECRET, "new", 30 * DAY + HOUR, HOUR)))
    assert (found.evidence.threshold, found.labels["rotation"], found.labels["secret"]) == (
        30,
        "overlap",
        "old",
    )


def test_an_old_secret_that_is_still_used_long_after_the_new_one_came_is_named() -> None:
    """practice 22"""
    world = sighted((Aspect.SECRET, "old", 80 * DAY, HOUR), (Aspect.SECRET, "new", 31 * DAY, HOUR))
    [found] = breaches("secret_rotation", world)
    assert "old secret old is still in use, 31 d after new came (at most 30 d)" in found.evidence.summary


def dated(last_used: timedelta, last_day: timedelta, first: timedelta = 80 * DAY) -> list[Evaluation]:
    """What is said of an old secret that is to be gone after the day that is so far from today."""
    world = sighted((Aspect.SECRET, "old", first, last_used), (Aspect.SECRET, "new", 40 * DAY, HOUR))
    world.agreed = Terms(remove_after={"old": (NOW + last_day).date()})
    return breaches("secret_rotation", world)


def test_a_secret_with_a_last_day_is_safe_to_remove_once_it_was_unused_for_a_week() -> None:
    assert dated(last_used=7 * DAY, last_day=30 * DAY) == []
    [found] = dated(last_used=7 * DAY + HOUR, last_day=30 * DAY)
    assert (found.severity, found.labels["rotation"]) == (Severity.WARNING, "unused")
    assert "secret old is safe to remove before its day, 2026-12-21: unused for 7 d" in found.evidence.summary


def test_a_secret_that_is_used_a_week_before_its_last_day_is_named_and_not_sooner() -> None:
    assert dated(last_used=HOUR, last_day=30 * DAY) == []
    [found] = dated(last_used=HOUR, last_day=6 * DAY)
    assert found.severity is Severity.WARNING
    assert "still in use, 6 d 21 h before it is to be gone (2026-11-27)" in found.evidence.summary


def test_a_secret_that_is_used_after_its_last_day_is_an_error_until_it_is_out_of_use() -> None:
    """practice 22"""
    assert dated(last_used=HOUR, last_day=0 * DAY)[0].severity is Severity.WARNING
    [found] = dated(last_used=HOUR, last_day=-DAY)
    assert (found.severity, found.labels["rotation"]) == (Severity.ERROR, "outlived")
    assert (
        "secret old was to be gone after 2026-11-20 and is still in use, the last time 2026-11-21 02:00 UTC"
        in found.evidence.summary
    )
    assert dated(last_used=4 * HOUR, last_day=-DAY) == []
    assert dated(last_used=25 * HOUR, last_day=-3 * DAY) == []


def test_the_only_secret_that_is_used_after_its_last_day_is_an_error_too() -> None:
    world = sighted((Aspect.SECRET, "old", 80 * DAY, HOUR))
    world.agreed = Terms(remove_after={"old": (NOW - DAY).date()})
    [found] = breaches("secret_rotation", world)
    assert found.labels["rotation"] == "outlived"
