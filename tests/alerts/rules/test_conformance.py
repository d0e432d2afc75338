"""What every kind of rule must do, kind by kind: no data, too little data, the edge of its threshold,
hysteresis, evidence, and a sentence. A kind without a case here fails the suite."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.model import Evaluation, Repeats, Rule, Target, Verdict, Window
from alerts.rules import KINDS, checked, default_rules, make
from alerts.rules.evaluate import RULE_BROKEN, evaluate
from alerts.rules.kind import Reach
from alerts.sightings import Aspect
from tests.alerts.world import (
    NOW,
    PAYMENTS,
    World,
    answered,
    asked_unsigned,
    attempts,
    broken,
    canaries_lost,
    certificate,
    clock_off,
    deliveries,
    down,
    housed,
    lost,
    processing,
    promised,
    queue,
    sighted,
    silent_for,
    silent_since,
    statuses,
    unended,
    waiting_for,
)

DAY = timedelta(days=1)
TINY = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Case:
    """Worlds on both sides of a kind's default threshold.

    fine: the last value that is no breach. breach: the first one that is. between: no breach, yet not
    cleared; None where the kind has no such band. calm: clearly good. nothing: no data at all. few: too
    little to judge, although it would be a breach; None where the kind needs no sample.
    """

    fine: World
    breach: World
    calm: World
    nothing: World
    between: World | None = None
    few: World | None = None
    expects_errors: bool = True


CASES = {
    "error_rate": Case(
        fine=attempts(succeeded=95, failed=5),
        breach=attempts(succeeded=949, failed=50, dead_lettered=1),
        between=attempts(succeeded=955, failed=45),
        calm=attempts(succeeded=960, failed=40),
        nothing=attempts(),
        few=attempts(failed=19),
    ),
    "failure_count": Case(
        fine=attempts(succeeded=5, failed=10),
        between=attempts(succeeded=5, failed=6),
        breach=attempts(failed=10, dead_lettered=1),
        calm=attempts(succeeded=1),
        nothing=attempts(),
    ),
    "slow_processing": Case(
        fine=processing(*[5000.0] * 20),
        breach=processing(*[10.0] * 95, *[5000.1] * 5),
        between=processing(*[4501.0] * 20),
        calm=processing(*[4500.0] * 20),
        nothing=processing(),
        few=processing(*[9000.0] * 19),
        expects_errors=False,
    ),
    "queue_depth": Case(
        fine=queue(1000),
        breach=queue(1001, oldest_age_s=60),
        between=queue(801),
        calm=queue(800),
        nothing=queue(9999, sampled_before=timedelta(minutes=5) + TINY),
        expects_errors=False,
    ),
    "certificate_expiry": Case(
        fine=certificate(30 * DAY + TINY),
        breach=certificate(30 * DAY),
        calm=certificate(60 * DAY),
        nothing=certificate(5 * DAY, checked_before=2 * DAY + TINY),
        expects_errors=False,
    ),
    "endpoint_down": Case(
        fine=down(2),
        breach=down(3),
        between=down(1),
        calm=down(0),
        nothing=down(9, checked_before=timedelta(minutes=5) + TINY),
    ),
    "canary_lost": Case(
        fine=canaries_lost(1),
        breach=canaries_lost(2),
        between=canaries_lost(1),
        calm=canaries_lost(0),
        nothing=canaries_lost(5, checked_before=timedelta(minutes=30) + TINY),
    ),
    "endpoint_exposure": Case(
        fine=asked_unsigned(401),
        breach=asked_unsigned(200, "an unsigned POST was accepted with 200"),
        calm=asked_unsigned(400),
        nothing=asked_unsigned(200, "accepted", checked_before=timedelta(hours=6) + TINY),
    ),
    "verification_failures": Case(
        fine=deliveries(100, bad_signature=5),
        breach=deliveries(100, bad_signature=4, timestamp_too_old=2),
        between=deliveries(1000, bad_signature=41),
        calm=deliveries(100, bad_signature=4),
        nothing=deliveries(0),
        few=deliveries(19, bad_signature=19),
    ),
    "dead_letters": Case(
        fine=attempts(succeeded=1, failed=3),
        breach=attempts(dead_lettered=1),
        calm=attempts(succeeded=1),
        nothing=attempts(),
    ),
    "new_issue": Case(
        fine=broken(0),
        breach=broken(1),
        calm=broken(0),
        nothing=World(),
    ),
    "ack_deadline": Case(
        fine=answered(*[10.0] * 95, *[24_001.0] * 5),
        breach=answered(*[10.0] * 94, *[24_001.0] * 6),
        between=answered(*[10.0] * 96, *[24_001.0] * 4),
        calm=answered(*[10.0] * 97, *[24_001.0] * 3),
        nothing=answered(),
        few=answered(*[29_000.0] * 19),
        expects_errors=False,
    ),
    "wrong_status": Case(
        fine=statuses({200: 95, 500: 5}),
        breach=statuses({200: 94, 500: 4, 302: 2}),
        between=statuses({200: 955, 500: 45}),
        calm=statuses({201: 96, 500: 4}),
        nothing=statuses({}, {401: 50}),
        few=statuses({500: 19}),
    ),
    "retry_storm": Case(
        fine=statuses({200: 100}, duplicates=20),
        breach=statuses({200: 90, 500: 10}, duplicates=11, redelivered=10),
        between=statuses({200: 100}, duplicates=16),
        calm=statuses({200: 100}, duplicates=15),
        nothing=statuses({}),
        few=statuses({200: 49}, duplicates=49),
        expects_errors=False,
    ),
    "processed_twice": Case(
        fine=World(done_twice=Repeats(50, 0)),
        breach=World(done_twice=Repeats(50, 1, ("0193f000-0000-7000-8000-000000000005",))),
        calm=World(done_twice=Repeats(50, 0)),
        nothing=World(done_twice=Repeats()),
        expects_errors=False,
    ),
    "stuck_events": Case(
        fine=unended(0),
        breach=unended(1),
        calm=unended(0),
        nothing=unended(0, of=0),
        expects_errors=False,
    ),
    "no_events": Case(
        fine=silent_since(timedelta(hours=1)),
        breach=silent_since(timedelta(hours=1) + TINY),
        calm=silent_since(timedelta(0)),
        nothing=silent_since(None),
        expects_errors=False,
    ),
    "burn_rate": Case(
        fine=promised(0.999, 99_900, 100),
        breach=promised(0.999, 99_850, 150),
        calm=promised(0.999, 99_990, 10),
        nothing=promised(0.999, 0, 0),
        few=promised(0.999, 0, 19),
    ),
    "repeated_status": Case(
        fine=statuses({200: 95, 404: 20}),
        breach=statuses({200: 95, 404: 21}),
        calm=statuses({200: 95, 503: 50}),
        nothing=statuses({}),
        expects_errors=False,
    ),
    "drift": Case(
        fine=sighted((Aspect.ADDRESS, "203.0.113.7", DAY, TINY)),
        breach=sighted((Aspect.ADDRESS, "203.0.113.7", DAY - TINY, TINY)),
        calm=sighted(),
        nothing=World(),
        expects_errors=False,
    ),
    "secret_rotation": Case(
        fine=sighted((Aspect.SECRET, "a1b2", 90 * DAY, TINY)),
        breach=sighted((Aspect.SECRET, "a1b2", 90 * DAY + TINY, TINY)),
        calm=sighted((Aspect.SECRET, "a1b2", DAY, TINY)),
        nothing=sighted(),
        expects_errors=False,
    ),
    "evaluator_late": Case(
        fine=housed(evaluated_at=NOW - timedelta(seconds=120)),
        breach=housed(evaluated_at=NOW - timedelta(seconds=120) - TINY),
        calm=housed(evaluated_at=NOW),
        nothing=housed(evaluated_at=None),
        expects_errors=False,
    ),
    "outbox_stuck": Case(
        fine=waiting_for(timedelta(minutes=10)),
        breach=waiting_for(timedelta(minutes=10) + TINY),
        calm=waiting_for(timedelta(0)),
        nothing=World(),
        expects_errors=False,
    ),
    "store_near_budget": Case(
        fine=housed(used_bytes=90, budget_bytes=100),
        breach=housed(used_bytes=91, budget_bytes=100),
        between=housed(used_bytes=86, budget_bytes=100, disk_bytes=100, disk_free_bytes=50),
        calm=housed(used_bytes=85, budget_bytes=100),
        nothing=housed(used_bytes=10**12),
        expects_errors=False,
    ),
    "clock_skew": Case(
        fine=clock_off(timedelta(seconds=30)),
        breach=clock_off(timedelta(seconds=-30) - TINY),
        calm=clock_off(timedelta(0)),
        nothing=World(),
        expects_errors=False,
    ),
    "client_drops": Case(
        fine=lost(0),
        breach=lost(1),
        calm=lost(500, ago=timedelta(hours=1)),
        nothing=World(),
    ),
    "monitor_blind": Case(
        fine=silent_for(timedelta(seconds=60)),
        breach=silent_for(timedelta(seconds=60) + TINY),
        calm=silent_for(timedelta(0)),
        nothing=silent_for(None),
        expects_errors=False,
    ),
}
each_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def found_in(world: World, kind: str, rule: Rule | None = None) -> Evaluation:
    """The one evaluation of the kind's default rule in the world."""
    definition = KINDS[kind]
    target = Target("production") if definition.on_monitor else PAYMENTS
    [found] = definition.evaluate(rule or definition.defaults, target, world, NOW)
    return found


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(KINDS)


@each_kind
def test_value_at_the_edge_is_no_breach(kind: str) -> None:
    assert found_in(CASES[kind].fine, kind).verdict is Verdict.OK


@each_kind
def test_value_just_over_the_edge_is_a_breach(kind: str) -> None:
    found = found_in(CASES[kind].breach, kind)
    assert (found.verdict, found.cleared) == (Verdict.BREACH, False)


@each_kind
def test_calm_value_clears(kind: str) -> None:
    found = found_in(CASES[kind].calm, kind)
    assert (found.verdict, found.cleared) == (Verdict.OK, True)


@pytest.mark.parametrize("kind", sorted(kind for kind in CASES if CASES[kind].between))
def test_value_between_clearing_and_threshold_neither_fires_nor_clears(kind: str) -> None:
    between = CASES[kind].between
    assert between is not None
    found = found_in(between, kind)
    assert (found.verdict, found.cleared) == (Verdict.OK, False)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"monitor_blind"}))
def test_no_data_is_neither_good_nor_bad(kind: str) -> None:
    assert found_in(CASES[kind].nothing, kind).verdict is Verdict.NO_DATA


def test_monitor_that_never_heard_a_collector_is_blind() -> None:
    assert found_in(CASES["monitor_blind"].nothing, "monitor_blind").verdict is Verdict.BREACH


@pytest.mark.parametrize("kind", sorted(kind for kind in CASES if CASES[kind].few))
def test_too_small_a_sample_is_no_data_however_bad_it_looks(kind: str) -> None:
    few = CASES[kind].few
    assert few is not None
    found = found_in(few, kind)
    assert found.verdict is Verdict.NO_DATA
    just_enough = replace(KINDS[kind].defaults, min_sample=found.evidence.sample)
    assert found_in(few, kind, just_enough).verdict is Verdict.BREACH


@each_kind
def test_breach_carries_the_evidence_it_was_judged_by(kind: str) -> None:
    evidence = found_in(CASES[kind].breach, kind).evidence
    assert evidence.value is not None
    assert evidence.threshold is not None
    assert math.isfinite(evidence.value)
    assert evidence.unit
    assert evidence.sample > 0
    assert evidence.window_start_at is not None
    assert evidence.window_end_at is not None
    assert evidence.window_start_at <= evidence.window_end_at
    assert bool(evidence.top_errors) == CASES[kind].expects_errors


@each_kind
def test_breach_is_said_in_one_sentence_with_its_place_and_numbers(kind: str) -> None:
    said = found_in(CASES[kind].breach, kind).evidence.summary
    place = "The monitor" if KINDS[kind].on_monitor else "stripe/payments"
    assert place in said
    assert re.search(r"\d", said)
    assert "None" not in said
    assert "\n" not in said
    assert len(said) < 220


@each_kind
def test_labels_name_the_target_and_the_rules_own_labels(kind: str) -> None:
    rule = replace(KINDS[kind].defaults, labels={"team": "billing"})
    labels = found_in(CASES[kind].breach, kind, rule).labels
    assert labels["team"] == "billing"
    assert labels["environment"] == "production"
    if not KINDS[kind].on_monitor:
        assert (labels["source"], labels["endpoint"]) == ("stripe", "payments")


@each_kind
def test_kind_says_what_its_window_bounds(kind: str) -> None:
    case, reach, asked = CASES[kind], KINDS[kind].reach, list[timedelta]()

    def asking(target: Target, start_at: datetime, end_at: datetime) -> Window:
        asked.append(end_at - start_at)
        return case.breach.window_of(target, start_at, end_at)

    none, all_time = (replace(KINDS[kind].defaults, window=length) for length in (-TINY, 300 * DAY))
    unseen = found_in(replace(case.breach, window_of=asking), kind, none)
    assert (-TINY in asked) == (reach is Reach.COUNTED)
    assert unseen.verdict is Verdict.NO_DATA or reach is not Reach.FRESH
    worlds = (case.breach, case.calm, case.nothing)
    alike = all(found_in(world, kind, none) == found_in(world, kind, all_time) for world in worlds)
    assert alike == (reach is Reach.NONE)


@each_kind
def test_kind_runs_through_the_whole_evaluation(kind: str) -> None:
    found = evaluate([KINDS[kind].defaults], CASES[kind].breach, NOW)
    assert any(item.rule == kind and item.verdict is Verdict.BREACH for item in found.evaluations)


@each_kind
def test_shipped_defaults_are_valid_and_described(kind: str) -> None:
    definition = KINDS[kind]
    assert checked(definition.defaults) is definition.defaults
    assert make(kind) == definition.defaults
    assert definition.about.endswith(".")
    assert set(definition.parameters) == set(definition.defaults.params)
    assert definition.defaults in default_rules()


RULES = {kind.name: kind.defaults for kind in KINDS.values()} | {RULE_BROKEN.name: RULE_BROKEN}
RULES_PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(RULES))
def test_a_page_says_what_to_look_at_and_to_do(kind: str) -> None:
    """The runbook of a rule that names none of its own."""
    assert RULES[kind].runbook == f"docs/rules.md#{kind}"
    section = re.search(rf"^### `{kind}`\n(.*?)(?=^##|\Z)", RULES_PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/rules.md has no section `{kind}` under What to look at"
    assert len(section[1].split()) > 25
