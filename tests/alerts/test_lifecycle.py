"""An alert's way from pending over firing to resolved, and what must not move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerts.lifecycle import Move, advance, jumped, step
from alerts.model import (
    Ack,
    Alert,
    Change,
    Evaluation,
    Evidence,
    NoData,
    Rule,
    Severity,
    State,
    Target,
    Transition,
    Verdict,
)
from alerts.rules import make
from alerts.rules.evaluate import RULE_BROKEN, Round, evaluate
from tests.alerts.world import World, attempts, certificate, silent_for

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE = Rule("error_rate", "error_rate", for_=2 * MINUTE, interval=5 * MINUTE)
AT_ONCE = replace(RULE, for_=timedelta(0))
LABELS = {"environment": "production", "source": "stripe", "endpoint": "payments"}


def found(
    verdict: Verdict, *, cleared: bool = True, severity: Severity = Severity.ERROR, said: str = "said"
) -> Evaluation:
    return Evaluation("error_rate", LABELS, verdict, severity, Evidence(said), cleared)


BREACH = found(Verdict.BREACH, cleared=False)
OK = found(Verdict.OK)
HOVERING = found(Verdict.OK, cleared=False)
NO_DATA = found(Verdict.NO_DATA)
UNKNOWN = found(Verdict.UNKNOWN)


class Life:
    """One alert through a series of evaluations; it goes to JSON and back each time, as over a restart."""

    def __init__(self, rule: Rule = RULE) -> None:
        self.rule = rule
        self.alert: Alert | None = None
        self.transitions: list[Transition] = []

    def sees(self, evaluation: Evaluation, at: datetime) -> Life:
        move = step(self.rule, self.alert, evaluation, at)
        if move is not None:
            self.alert = msgspec.convert(msgspec.to_builtins(move.after), Alert)
            self.transitions += [move.transition] if move.transition else []
        return self

    @property
    def state(self) -> State | None:
        return None if self.alert is None else self.alert.state

    @property
    def reasons(self) -> list[Change]:
        return [transition.reason for transition in self.transitions]


def firing(rule: Rule = AT_ONCE, since: datetime = T0) -> Life:
    return Life(rule).sees(BREACH, since)


@pytest.mark.parametrize("evaluation", [OK, HOVERING, NO_DATA, UNKNOWN])
def test_no_alert_comes_to_be_without_a_breach(evaluation: Evaluation) -> None:
    assert Life().sees(evaluation, T0).alert is None


def test_breach_is_pending_until_it_has_held() -> None:
    life = Life().sees(BREACH, T0).sees(BREACH, T0 + 2 * MINUTE - timedelta(seconds=1))
    assert life.state is State.PENDING
    assert life.sees(BREACH, T0 + 2 * MINUTE).state is State.FIRING
    assert life.reasons == [Change.BREACH_STARTED, Change.BREACH_HELD]


def test_breach_fires_at_once_without_a_waiting_time() -> None:
    life = firing()
    assert life.state is State.FIRING
    assert (life.transitions[0].from_state, life.transitions[0].to_state) == (State.INACTIVE, State.FIRING)


def test_pending_breach_that_ends_was_never_an_alert_to_tell_of() -> None:
    life = Life().sees(BREACH, T0).sees(OK, T0 + MINUTE)
    assert (life.state, life.reasons) == (State.INACTIVE, [Change.BREACH_STARTED, Change.BREACH_ENDED])
    assert life.alert is not None
    assert life.alert.episode == 0


def test_interrupted_breach_starts_its_waiting_anew() -> None:
    life = Life().sees(BREACH, T0).sees(OK, T0 + MINUTE).sees(BREACH, T0 + 2 * MINUTE)
    assert life.sees(BREACH, T0 + 3 * MINUTE).state is State.PENDING


def test_firing_ends_with_the_breach() -> None:
    life = firing().sees(OK, T0 + MINUTE)
    assert (life.state, life.reasons[-1]) == (State.RESOLVED, Change.RECOVERED)
    assert life.alert is not None
    assert life.alert.resolved_at == T0 + MINUTE


@pytest.mark.parametrize(("short_ms", "state"), [(20, State.FIRING), (600, State.PENDING)])
def test_ticks_that_come_a_moment_early_cost_no_interval_more(short_ms: int, state: State) -> None:
    life = Life().sees(BREACH, T0).sees(BREACH, T0 + 2 * MINUTE - timedelta(milliseconds=short_ms))
    assert life.state is state


def test_firing_is_kept_for_a_while_after_the_last_breach() -> None:
    life = firing(replace(AT_ONCE, keep_firing_for=5 * MINUTE))
    life.sees(OK, T0 + MINUTE).sees(BREACH, T0 + 2 * MINUTE).sees(OK, T0 + 6 * MINUTE)
    assert life.state is State.FIRING
    assert life.sees(OK, T0 + 7 * MINUTE).state is State.RESOLVED


def test_value_that_hovers_below_the_threshold_does_not_resolve() -> None:
    life = firing().sees(HOVERING, T0 + MINUTE)
    assert life.state is State.FIRING
    assert life.sees(OK, T0 + 2 * MINUTE).state is State.RESOLVED


def test_hovering_counts_as_trouble_for_the_time_kept_firing() -> None:
    life = firing(replace(AT_ONCE, keep_firing_for=5 * MINUTE)).sees(HOVERING, T0 + 4 * MINUTE)
    assert life.sees(OK, T0 + 6 * MINUTE).state is State.FIRING


def test_hovering_value_does_not_fire_a_pending_alert() -> None:
    assert Life().sees(BREACH, T0).sees(HOVERING, T0 + 2 * MINUTE).state is State.INACTIVE


def test_same_alert_fires_again_as_a_new_episode() -> None:
    life = firing().sees(OK, T0 + MINUTE).sees(BREACH, T0 + 10 * MINUTE)
    assert life.alert is not None
    assert (life.alert.state, life.alert.episode, life.alert.revision) == (State.FIRING, 2, 3)
    assert (life.alert.firing_since, life.alert.resolved_at) == (T0 + 10 * MINUTE, None)


def test_acknowledgement_ends_with_its_episode() -> None:
    life = firing()
    life.alert = replace(fired_alert(), ack=Ack("ann", T0), muted_by="silence:1")
    acked = life.sees(BREACH, T0 + MINUTE).alert
    assert acked is not None
    assert acked.ack == Ack("ann", T0)
    again = life.sees(OK, T0 + 2 * MINUTE).sees(BREACH, T0 + 3 * MINUTE).alert
    assert again is not None
    assert (again.ack, again.muted_by) == (None, None)


@pytest.mark.parametrize(
    ("meaning", "state"),
    [(NoData.OK, State.RESOLVED), (NoData.BREACH, State.FIRING), (NoData.KEEP, State.FIRING)],
)
def test_no_data_means_to_a_firing_alert_what_its_rule_says(meaning: NoData, state: State) -> None:
    assert firing(replace(AT_ONCE, no_data=meaning)).sees(NO_DATA, T0 + MINUTE).state is state


def test_end_by_lack_of_data_says_so() -> None:
    assert firing().sees(NO_DATA, T0 + MINUTE).reasons[-1] is Change.NO_DATA


def test_no_data_can_start_an_alert_where_it_means_a_breach() -> None:
    assert firing(replace(AT_ONCE, no_data=NoData.BREACH)).state is State.FIRING
    assert Life(replace(AT_ONCE, no_data=NoData.BREACH)).sees(NO_DATA, T0).state is State.FIRING


def test_unknown_neither_fires_nor_resolves() -> None:
    pending = Life().sees(BREACH, T0).sees(UNKNOWN, T0 + 60 * MINUTE)
    assert pending.state is State.PENDING
    assert firing().sees(UNKNOWN, T0 + 60 * MINUTE).state is State.FIRING


def test_time_spent_blind_counts_towards_no_timer() -> None:
    pending = Life().sees(BREACH, T0).sees(BREACH, T0 + MINUTE)
    pending.sees(UNKNOWN, T0 + 31 * MINUTE).sees(BREACH, T0 + 31 * MINUTE)
    assert pending.state is State.PENDING
    assert pending.sees(BREACH, T0 + 32 * MINUTE).state is State.FIRING

    kept = firing(replace(AT_ONCE, keep_firing_for=5 * MINUTE)).sees(UNKNOWN, T0 + 30 * MINUTE)
    assert kept.sees(OK, T0 + 34 * MINUTE).state is State.FIRING
    assert kept.sees(OK, T0 + 35 * MINUTE).state is State.RESOLVED


def test_clock_that_jumps_back_keeps_what_had_elapsed() -> None:
    life = Life().sees(BREACH, T0).sees(BREACH, T0 + MINUTE)
    back = T0 - timedelta(hours=3)
    assert life.sees(BREACH, back).state is State.PENDING
    assert life.sees(BREACH, back + MINUTE - timedelta(seconds=1)).state is State.PENDING
    assert life.sees(BREACH, back + MINUTE).state is State.FIRING


def test_clock_that_jumps_back_does_not_hold_a_recovered_alert() -> None:
    life = firing(replace(AT_ONCE, keep_firing_for=5 * MINUTE)).sees(OK, T0 + 3 * MINUTE)
    back = T0 - timedelta(hours=3)
    life.sees(OK, back)
    assert life.state is State.FIRING
    assert life.sees(OK, back + 2 * MINUTE).state is State.RESOLVED


HALF_AN_HOUR = replace(RULE, for_=30 * MINUTE, interval=MINUTE)


def watched(life: Life, evaluation: Evaluation, start: datetime, minutes: int) -> datetime:
    """When the last of so many evaluations, one a minute, was made."""
    for minute in range(minutes + 1):
        life.sees(evaluation, start + minute * MINUTE)
    return start + minutes * MINUTE


@pytest.mark.parametrize("outage", [10 * MINUTE, 59 * MINUTE])
def test_waiting_goes_on_after_an_outage_where_it_stood(outage: timedelta) -> None:
    life = Life(HALF_AN_HOUR)
    last = watched(life, BREACH, T0, 20)
    back = last + outage
    end = watched(life, BREACH, back, 7)
    assert life.state is State.PENDING
    assert life.sees(BREACH, end + MINUTE).state is State.FIRING


def test_waiting_starts_anew_after_an_outage_of_hours() -> None:
    life = Life(HALF_AN_HOUR)
    last = watched(life, BREACH, T0, 20)
    end = watched(life, BREACH, last + timedelta(hours=2), 29)
    assert life.state is State.PENDING
    assert life.sees(BREACH, end + MINUTE).state is State.FIRING


def test_outage_resolves_nothing_that_is_kept_firing() -> None:
    life = firing(replace(AT_ONCE, keep_firing_for=10 * MINUTE, interval=MINUTE))
    life.sees(OK, T0 + timedelta(hours=1))
    assert life.state is State.FIRING
    end = watched(life, OK, T0 + timedelta(hours=1), 7)
    assert life.state is State.FIRING
    assert life.sees(OK, end + MINUTE).state is State.RESOLVED


def test_late_evaluation_still_counts_as_watched() -> None:
    life = Life(replace(RULE, interval=MINUTE)).sees(BREACH, T0)
    assert life.sees(BREACH, T0 + 2 * MINUTE).state is State.FIRING


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_put_forward_or_back_by_an_hour_keeps_what_had_elapsed(hours: int) -> None:
    life, jump = Life(HALF_AN_HOUR), timedelta(hours=hours)
    last = watched(life, BREACH, T0, 20)
    assert life.alert is not None
    life.alert = jumped(life.alert, jump)
    end = watched(life, BREACH, last + jump + MINUTE, 8)
    assert life.state is State.PENDING
    assert life.sees(BREACH, end + MINUTE).state is State.FIRING
    assert life.alert.jumped == jump


@pytest.mark.parametrize("hours", [-1, 1])
def test_unnoticed_jump_of_an_hour_does_not_start_the_waiting_anew(hours: int) -> None:
    life = Life(HALF_AN_HOUR)
    last = watched(life, BREACH, T0, 20)
    end = watched(life, BREACH, last + timedelta(hours=hours) + MINUTE, 6)
    assert life.state is State.PENDING
    assert life.sees(BREACH, end + 2 * MINUTE).sees(BREACH, end + 4 * MINUTE).state is State.FIRING


def test_severity_that_climbs_is_a_transition_a_step_and_no_new_episode() -> None:
    life = Life(AT_ONCE)
    for days, severity in enumerate([Severity.INFO, Severity.INFO, Severity.WARNING, Severity.CRITICAL]):
        life.sees(found(Verdict.BREACH, cleared=False, severity=severity), T0 + timedelta(days=days))
    assert life.reasons == [Change.BREACH_STARTED, Change.SEVERITY_RAISED, Change.SEVERITY_RAISED]
    assert life.alert is not None
    assert (life.alert.severity, life.alert.episode) == (Severity.CRITICAL, 1)


def test_severity_that_falls_while_firing_is_recorded() -> None:
    life = firing().sees(found(Verdict.BREACH, cleared=False, severity=Severity.INFO), T0 + MINUTE)
    assert life.reasons[-1] is Change.SEVERITY_LOWERED


def test_transition_carries_the_sentence_of_its_evidence() -> None:
    life = Life(AT_ONCE).sees(found(Verdict.BREACH, said="12 % failed"), T0)
    life.sees(found(Verdict.OK, said="0 % failed"), T0 + MINUTE)
    assert [transition.summary for transition in life.transitions] == ["12 % failed", "0 % failed"]


def test_revisions_count_the_transitions_without_a_gap() -> None:
    life = Life().sees(BREACH, T0).sees(BREACH, T0 + 2 * MINUTE).sees(OK, T0 + 3 * MINUTE)
    assert [transition.revision for transition in life.transitions] == [1, 2, 3]


def moves(alerts: list[Alert], round_: Round) -> list[Move]:
    return advance({alert.fingerprint: alert for alert in alerts}, round_)


def fired_alert() -> Alert:
    alert = firing().alert
    assert alert is not None
    return alert


def test_alert_whose_target_is_gone_resolves() -> None:
    [move] = moves([fired_alert()], evaluate([make("error_rate")], World(T0 + MINUTE, []), T0 + MINUTE))
    assert (move.after.state, move.transition and move.transition.reason) == (
        State.RESOLVED,
        Change.TARGET_GONE,
    )


def test_alert_whose_rule_is_removed_resolves() -> None:
    [move] = moves([fired_alert()], evaluate([make("queue_depth")], World(T0 + MINUTE, []), T0 + MINUTE))
    assert move.transition is not None
    assert move.transition.reason is Change.RULE_REMOVED


def test_alert_whose_rule_is_not_due_is_left_alone() -> None:
    rule = make("error_rate")
    round_ = evaluate([rule], World(T0, []), T0, {"error_rate": T0})
    assert moves([fired_alert()], round_) == []


def test_blind_monitor_moves_no_alert_but_its_own() -> None:
    now = T0 + 10 * MINUTE
    world = silent_for(None)
    round_ = evaluate([make("error_rate"), make("monitor_blind", for_=timedelta(0))], world, now)
    after = {move.after.rule: move for move in moves([fired_alert()], round_)}
    assert after["monitor_blind"].after.state is State.FIRING
    assert after["error_rate"].after.state is State.FIRING
    assert after["error_rate"].transition is None
    assert after["error_rate"].after.last_evaluated_at == now


def test_broken_rule_freezes_its_alerts_and_raises_one_of_its_own() -> None:
    class Broken(World):
        def targets(self, rule: Rule) -> Sequence[Target]:
            raise RuntimeError("boom")

    [broken, kept] = moves([fired_alert()], evaluate([make("error_rate")], Broken(T0 + MINUTE), T0 + MINUTE))
    assert (broken.after.rule, broken.after.state) == (RULE_BROKEN.name, State.FIRING)
    assert (kept.after.state, kept.transition) == (State.FIRING, None)

    mended = evaluate([make("error_rate")], World(T0 + 2 * MINUTE, []), T0 + 2 * MINUTE)
    [recovered] = [move for move in moves([broken.after], mended) if move.after.rule == RULE_BROKEN.name]
    assert recovered.after.state is State.RESOLVED

    removed = evaluate([make("queue_depth")], World(T0 + 2 * MINUTE, []), T0 + 2 * MINUTE)
    [gone] = [move for move in moves([broken.after], removed) if move.after.rule == RULE_BROKEN.name]
    assert gone.transition is not None
    assert gone.transition.reason is Change.RULE_REMOVED


def test_real_rule_fires_and_resolves_over_real_rounds() -> None:
    rule = make("error_rate", for_=MINUTE, keep_firing_for=timedelta(0))
    alerts: dict[str, Alert] = {}
    states = []
    bad, good = attempts(succeeded=50, failed=50), attempts(succeeded=100)
    for minute, world in enumerate([good, bad, bad, bad, good]):
        now = T0 + minute * MINUTE
        world.heartbeat_at = now
        for move in advance(alerts, evaluate([rule], world, now)):
            alerts[move.after.fingerprint] = move.after
        states.append([alert.state for alert in alerts.values()])
    assert states == [
        [],
        [State.PENDING],
        [State.FIRING],
        [State.FIRING],
        [State.RESOLVED],
    ]


def test_certificate_renewed_at_the_last_moment_resolves() -> None:
    rule = make("certificate_expiry")
    expiring = advance({}, evaluate([rule], certificate(timedelta(hours=3)), T0))
    [alert] = [move.after for move in expiring]
    assert alert.severity is Severity.CRITICAL
    later = T0 + timedelta(hours=1)
    renewed = certificate(timedelta(days=90))
    renewed.heartbeat_at = later
    [move] = moves([alert], evaluate([rule], renewed, later))
    assert move.after.state is State.RESOLVED
