"""All rules over one world: which are run, and what a broken rule and a blind monitor do to the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.model import Evaluation, QueueSample, Rule, Target, Verdict
from alerts.rules import KINDS, default_rules, make
from alerts.rules.evaluate import evaluate, selects
from tests.alerts.world import NOW, World, attempts, silent_for

SECOND = timedelta(seconds=1)


class BrokenQueues(World):
    def queues(self, target: Target) -> Sequence[QueueSample]:
        raise KeyError("no such column\nsecond line")


def verdicts(found: Sequence[Evaluation], rule: str) -> list[Verdict]:
    return [item.verdict for item in found if item.rule == rule]


def test_broken_rule_is_a_breach_of_its_own_and_stops_no_other() -> None:
    world = BrokenQueues(window_of=attempts(failed=50).window_of)
    found = evaluate(default_rules(), world, NOW)
    assert verdicts(found.evaluations, "error_rate") == [Verdict.BREACH]
    [broken] = [
        item for item in found.evaluations if item.rule == "rule_broken" and item.verdict is Verdict.BREACH
    ]
    assert (broken.labels["broken_rule"], broken.cleared) == ("queue_depth", False)
    assert broken.evidence.summary == (
        "Rule \"queue_depth\" could not be evaluated (KeyError: 'no such column\\nsecond line'); "
        "what it watches goes unseen"
    )
    assert [error.name for error in broken.evidence.top_errors] == ["KeyError"]
    assert broken.evidence.window_end_at == NOW


def test_broken_rule_is_frozen_and_not_judged() -> None:
    found = evaluate(default_rules(), BrokenQueues(), NOW)
    assert "queue_depth" in found.frozen
    assert "queue_depth" not in found.judged
    assert "error_rate" in found.judged


def test_rule_that_works_again_ends_its_own_breach() -> None:
    found = evaluate([make("queue_depth")], World(), NOW)
    [works] = [
        item
        for item in found.evaluations
        if item.rule == "rule_broken" and item.labels["broken_rule"] == "queue_depth"
    ]
    assert (works.verdict, works.cleared) == (Verdict.OK, True)
    assert works.evidence.summary == 'Rule "queue_depth" is evaluated again'


@pytest.mark.parametrize("silence", [None, 61 * SECOND])
def test_blind_monitor_judges_nothing_but_its_blindness(silence: timedelta | None) -> None:
    world = silent_for(silence)
    world.window_of = attempts(failed=50).window_of
    found = evaluate(default_rules(), world, NOW)
    assert found.blind
    own = {name for name, kind in KINDS.items() if kind.on_monitor}
    assert found.judged == own
    assert {item.rule for item in found.evaluations} == {*own, "rule_broken"}
    assert verdicts(found.evaluations, "monitor_blind") == [Verdict.BREACH]


def test_blindness_is_watched_although_no_rule_asks_for_it() -> None:
    found = evaluate([make("error_rate")], silent_for(None), NOW)
    assert verdicts(found.evaluations, "monitor_blind") == [Verdict.BREACH]


def test_blindness_has_the_rules_own_limit() -> None:
    patient = make("monitor_blind", threshold=300)
    assert not evaluate([patient], silent_for(299 * SECOND), NOW).blind
    assert evaluate([patient], silent_for(301 * SECOND), NOW).blind


@pytest.mark.parametrize(
    ("after", "blind"),
    [(0, True), (59, True), (60, False), (3600, False), (-1, False)],  # the last: the clock jumped back
)
def test_after_a_blindness_receivers_have_a_minute_to_send_what_they_kept(after: int, blind: bool) -> None:
    dark = evaluate(default_rules(), silent_for(61 * SECOND), NOW)
    assert dark.settles_at == NOW + 60 * SECOND
    at = NOW + after * SECOND
    back = evaluate(default_rules(), World(heartbeat_at=at), at, settles_at=dark.settles_at)
    assert back.blind is blind
    assert ("error_rate" in back.frozen, "error_rate" in back.judged) == (blind, not blind)
    assert verdicts(back.evaluations, "monitor_blind") == [Verdict.OK]
    assert back.settles_at == (dark.settles_at if blind else None)


def test_an_installation_that_begins_has_nothing_to_wait_for() -> None:
    assert evaluate(default_rules(), silent_for(None), NOW).settles_at is None


@pytest.mark.parametrize(("ms", "due"), [(59_500, True), (59_499, False)])
def test_a_rule_is_due_half_a_second_before_its_interval_is_over(ms: int, due: bool) -> None:
    rule = make("error_rate", interval=60 * SECOND)
    at = NOW + timedelta(milliseconds=ms)
    found = evaluate([rule], World(heartbeat_at=at), at, {"error_rate": NOW})
    assert ("error_rate" in found.judged) is due
    assert "error_rate" not in evaluate([rule], World(), NOW, {"error_rate": NOW}).judged
    assert found.last_run["error_rate"] == (at if due else NOW)


def test_rule_runs_once_an_interval() -> None:
    rule = make("error_rate", interval=60 * SECOND)
    first = evaluate([rule], World(), NOW)
    too_soon = evaluate([rule], replace(World(), heartbeat_at=NOW), NOW + 30 * SECOND, first.last_run)
    due = evaluate([rule], replace(World(), heartbeat_at=NOW), NOW + 60 * SECOND, too_soon.last_run)
    assert [("error_rate" in found.judged) for found in (first, too_soon, due)] == [True, False, True]


def test_rule_runs_at_once_when_the_clock_jumped_back() -> None:
    rule = make("error_rate", interval=60 * SECOND)
    first = evaluate([rule], World(), NOW)
    earlier = NOW - timedelta(hours=2)
    assert "error_rate" in evaluate([rule], World(heartbeat_at=earlier), earlier, first.last_run).judged


def test_disabled_rule_is_as_good_as_gone() -> None:
    found = evaluate([replace(make("error_rate"), enabled=False)], attempts(failed=50), NOW)
    assert "error_rate" not in found.rules
    assert verdicts(found.evaluations, "error_rate") == []


@pytest.mark.parametrize(
    ("changes", "selected"),
    [
        ({}, True),
        ({"source": "str*"}, True),
        ({"source": "*ripe", "endpoint": "pay*s"}, True),
        ({"source": "Stripe"}, False),
        ({"source": "orum"}, False),
        ({"endpoint": "pay"}, False),
        ({"endpoint": "payment."}, False),
        ({"environment": "staging"}, False),
        ({"environment": "*"}, True),
        ({"event_type": "invoice.*"}, False),
    ],
)
def test_rule_selects_by_environment_and_patterns(changes: dict[str, str], selected: bool) -> None:
    rule = replace(Rule("r", "error_rate"), **changes)  # type: ignore[arg-type]
    assert selects(rule, Target("production", "stripe", "payments")) is selected


def test_targets_the_rule_does_not_select_are_not_judged() -> None:
    world = attempts(failed=50)
    world.places = [Target("production", "stripe", "payments"), Target("staging", "stripe", "payments")]
    found = evaluate([make("error_rate")], world, NOW)
    assert [item.labels["environment"] for item in found.evaluations if item.rule == "error_rate"] == [
        "production"
    ]


def test_every_kind_survives_an_empty_world() -> None:
    found = evaluate(default_rules(), World(places=[]), NOW)
    assert found.judged == set(KINDS)
    assert {item.verdict for item in found.evaluations} <= {Verdict.OK, Verdict.NO_DATA}
