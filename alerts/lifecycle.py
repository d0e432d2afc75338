"""Where an alert goes next: (alert as stored, evaluation, now) to (alert, transition).

Every timer stands in the alert itself, so a restart forgets nothing. Time that could not be watched, because
the monitor was down or blind or the clock jumped, counts towards no timer. It tells nobody: that is the
notifier's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.flapping import DAMPING, Damping, firings, held, is_flapping
from alerts.model import ZERO, Alert, Change, Evaluation, NoData, Rule, State, Steady, Transition, Verdict
from alerts.rules.evaluate import BROKEN_LABEL, TICK_SLACK, Round

ACTIVE = (State.PENDING, State.FIRING)
LATE = timedelta(minutes=1)
"""An evaluation this late, or one that was left out, still counts as watched: a takeover takes 15 s."""
JUMP = timedelta(seconds=5)
"""The wall clock may stray this far from the steady one between two evaluations; beyond it was set."""
FORGOTTEN = timedelta(minutes=90)
"""A breach that was pending is a new one after so long unwatched. Longer than an hour: an outage of one, or a
clock that is put forward by one, must not begin the waiting anew."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one evaluation made of one alert. before: None for an alert that did not exist. transition: None
    when it stayed in its state with its severity; then only timers and evidence differ."""

    before: Alert | None
    after: Alert
    transition: Transition | None = None


def advance(alerts: Mapping[str, Alert], found: Round, damping: Damping = DAMPING) -> list[Move]:
    """One move for each alert that changed in any field, evaluated ones first.

    alerts: by fingerprint, all that are pending or firing, and any resolved or inactive ones still known.
    """
    moves: list[Move] = []
    evaluated: set[str] = set()
    for evaluation in found.evaluations:
        evaluated.add(evaluation.fingerprint)
        known = alerts.get(evaluation.fingerprint)
        move = step(found.rules[evaluation.rule], known, evaluation, found.at, damping)
        if move is not None:
            moves.append(move)
    for alert in alerts.values():
        if alert.fingerprint not in evaluated and alert.state in ACTIVE:
            moves += _unevaluated(alert, found)
    return moves


def step(
    rule: Rule, alert: Alert | None, evaluation: Evaluation, now: datetime, damping: Damping = DAMPING
) -> Move | None:
    """The move the evaluation makes; None when no alert is active and there is no reason for one."""
    verdict = _meaning(rule, evaluation.verdict)
    if verdict is not Verdict.BREACH and (alert is None or alert.state not in ACTIVE):
        return None
    known = alert or _newborn(rule, evaluation, now)
    if verdict is Verdict.UNKNOWN:
        return Move(alert, _frozen(known, now))
    known = replace(_watched(rule, known, now), last_evaluated_at=now)
    if verdict is Verdict.BREACH:
        after, change = _on_breach(rule, known, evaluation, now, damping)
    else:
        after, change = _on_ok(rule, known, evaluation, now, damping)
    return Move(alert, *_recorded(known, after, change, now))


def put_right(alert: Alert, now: datetime, steady: Steady | None) -> Alert:
    """The alert after any jump that the wall clock made since its last evaluation, whoever made that one.

    steady: what the steady clock says now; without it, or after the machine was started anew, nobody can tell
    a clock that was put forward from time that passed.
    """
    known = alert.steady
    if steady is None or known is None or known.boot != steady.boot:
        return alert
    passed = timedelta(seconds=steady.seconds - known.seconds)
    jump = now - alert.last_evaluated_at - passed
    return jumped(alert, jump) if abs(jump) > JUMP else alert


def jumped(alert: Alert, by: timedelta) -> Alert:
    """The alert after the wall clock jumped: whatever had elapsed has elapsed still."""
    after = _shifted(alert, by)
    return replace(after, last_evaluated_at=alert.last_evaluated_at + by, jumped=alert.jumped + by)


def _meaning(rule: Rule, verdict: Verdict) -> Verdict:
    """What the rule takes the verdict for, once no data has been given its meaning."""
    if verdict is not Verdict.NO_DATA:
        return verdict
    return {NoData.OK: Verdict.OK, NoData.BREACH: Verdict.BREACH, NoData.KEEP: Verdict.UNKNOWN}[rule.no_data]


def _newborn(rule: Rule, evaluation: Evaluation, now: datetime) -> Alert:
    return Alert(
        fingerprint=evaluation.fingerprint,
        rule=rule.name,
        kind=rule.kind,
        severity=evaluation.severity,
        labels=dict(evaluation.labels),
        state=State.INACTIVE,
        since=now,
        last_evaluated_at=now,
        evidence=evaluation.evidence,
        runbook=rule.runbook,
    )


def _on_breach(
    rule: Rule, alert: Alert, evaluation: Evaluation, now: datetime, damping: Damping
) -> tuple[Alert, Change | None]:
    raised = evaluation.severity.rank - alert.severity.rank
    alert = replace(
        alert,
        severity=evaluation.severity,
        evidence=evaluation.evidence,
        runbook=rule.runbook,
        last_breach_at=now,
    )
    if alert.state is State.FIRING:
        if raised == 0:
            return alert, None
        return alert, Change.SEVERITY_RAISED if raised > 0 else Change.SEVERITY_LOWERED
    pending_since = alert.pending_since if alert.state is State.PENDING else None
    # Judged a moment short of it, by the worker's tick, it has held: a whole interval more would be too late.
    if now - (pending_since or now) + TICK_SLACK >= rule.for_:
        change = Change.BREACH_STARTED if pending_since is None else Change.BREACH_HELD
        return _fired(alert, pending_since, now, damping), change
    if pending_since is not None:
        return alert, None
    return replace(alert, state=State.PENDING, since=now, pending_since=now), Change.BREACH_STARTED


def _fired(alert: Alert, pending_since: datetime | None, now: datetime, damping: Damping) -> Alert:
    """A new firing: whatever belonged to the one before is gone."""
    fired_at = firings(alert, damping, now)
    return replace(
        alert,
        state=State.FIRING,
        since=now,
        pending_since=pending_since,
        firing_since=now,
        resolved_at=None,
        episode=alert.episode + 1,
        ack=None,
        muted_by=alert.muted_by if alert.state is State.PENDING else None,  # what explained it until now
        fired_at=fired_at,
        flapping_since=now if is_flapping(fired_at, damping) else None,
    )


def _on_ok(
    rule: Rule, alert: Alert, evaluation: Evaluation, now: datetime, damping: Damping
) -> tuple[Alert, Change | None]:
    if alert.state is State.PENDING:
        return _ended(alert, evaluation, now), Change.BREACH_ENDED
    if not evaluation.cleared:
        return replace(alert, evidence=evaluation.evidence, last_breach_at=now), None
    if now - (alert.last_breach_at or now) < rule.keep_firing_for or held(alert, damping, now):
        return alert, None
    change = Change.NO_DATA if evaluation.verdict is Verdict.NO_DATA else Change.RECOVERED
    return _ended(alert, evaluation, now), change


def _ended(alert: Alert, evaluation: Evaluation | None, now: datetime) -> Alert:
    """Pending goes back to inactive, firing to resolved. The severity stays what it was when it was told."""
    evidence = alert.evidence if evaluation is None else evaluation.evidence
    if alert.state is State.PENDING:
        return replace(alert, state=State.INACTIVE, since=now, pending_since=None, evidence=evidence)
    return replace(
        alert,
        state=State.RESOLVED,
        since=now,
        pending_since=None,
        flapping_since=None,
        resolved_at=now,
        evidence=evidence,
    )


def _unevaluated(alert: Alert, found: Round) -> list[Move]:
    """The move of an active alert that no evaluation spoke of."""
    if alert.labels.get(BROKEN_LABEL, alert.rule) not in found.rules:
        change = Change.RULE_REMOVED
    elif alert.rule in found.frozen:
        return [Move(alert, _frozen(alert, found.at))]
    elif alert.rule in found.judged:
        change = Change.TARGET_GONE
    else:
        return []  # its rule was not due
    ended = replace(_ended(alert, None, found.at), last_evaluated_at=found.at)
    return [Move(alert, *_recorded(alert, ended, change, found.at))]


def _recorded(
    before: Alert, after: Alert, change: Change | None, now: datetime
) -> tuple[Alert, Transition | None]:
    if change is None:
        return after, None
    after = replace(after, revision=before.revision + 1)
    return after, Transition(
        fingerprint=after.fingerprint,
        revision=after.revision,
        from_state=before.state,
        to_state=after.state,
        severity=after.severity,
        at=now,
        reason=change,
        summary=after.evidence.summary,
    )


def _frozen(alert: Alert, now: datetime) -> Alert:
    """The alert with the time since its last evaluation struck from its timers."""
    if now < alert.last_evaluated_at:
        return jumped(alert, now - alert.last_evaluated_at)
    return replace(_shifted(alert, now - alert.last_evaluated_at), last_evaluated_at=now)


def _watched(rule: Rule, alert: Alert, now: datetime) -> Alert:
    """The alert with the time that nobody watched struck from its timers: a clock that was put back or
    forward, an outage of the monitor."""
    gap = now - alert.last_evaluated_at
    if gap < ZERO:
        return jumped(alert, gap)
    unwatched = gap - max(2 * rule.interval, LATE)
    if unwatched <= ZERO or alert.state not in ACTIVE:
        return alert
    if alert.state is State.PENDING and unwatched > FORGOTTEN:
        return replace(_shifted(alert, unwatched), pending_since=now)
    return _shifted(alert, unwatched)


def _shifted(alert: Alert, by: timedelta) -> Alert:
    return replace(
        alert,
        pending_since=_later(alert.pending_since, by),
        last_breach_at=_later(alert.last_breach_at, by),
        flapping_since=_later(alert.flapping_since, by),
        fired_at=tuple(at + by for at in alert.fired_at),
    )


def _later(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at + by
