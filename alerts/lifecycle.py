"""Where an alert goes next: (alert as stored, evaluation, now) to (alert, transition).

Every timer stands in the alert itself, so a restart forgets nothing. Time that could not be watched, because
the monitor was blind or the clock jumped back, counts towards no timer. It tells nobody: that is the
notifier's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.model import Alert, Change, Evaluation, NoData, Rule, State, Transition, Verdict
from alerts.rules.evaluate import BROKEN_LABEL, Round

ACTIVE = (State.PENDING, State.FIRING)


@dataclass(frozen=True, slots=True)
class Move:
    """What one evaluation made of one alert. before: None for an alert that did not exist. transition: None
    when it stayed in its state with its severity; then only timers and evidence differ."""

    before: Alert | None
    after: Alert
    transition: Transition | None = None


def advance(alerts: Mapping[str, Alert], found: Round) -> list[Move]:
    """One move for each alert that changed in any field, evaluated ones first.

    alerts: by fingerprint, all that are pending or firing, and any resolved or inactive ones still known.
    """
    moves: list[Move] = []
    evaluated: set[str] = set()
    for evaluation in found.evaluations:
        evaluated.add(evaluation.fingerprint)
        move = step(found.rules[evaluation.rule], alerts.get(evaluation.fingerprint), evaluation, found.at)
        if move is not None:
            moves.append(move)
    for alert in alerts.values():
        if alert.fingerprint not in evaluated and alert.state in ACTIVE:
            moves += _unevaluated(alert, found)
    return moves


def step(rule: Rule, alert: Alert | None, evaluation: Evaluation, now: datetime) -> Move | None:
    """The move the evaluation makes; None when no alert is active and there is no reason for one."""
    verdict = _meaning(rule, evaluation.verdict)
    if verdict is not Verdict.BREACH and (alert is None or alert.state not in ACTIVE):
        return None
    known = alert or _newborn(rule, evaluation, now)
    if verdict is Verdict.UNKNOWN:
        return Move(alert, _frozen(known, now))
    known = replace(_clock_checked(known, now), last_evaluated_at=now)
    if verdict is Verdict.BREACH:
        after, change = _on_breach(rule, known, evaluation, now)
    else:
        after, change = _on_ok(rule, known, evaluation, now)
    return Move(alert, *_recorded(known, after, change, now))


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
    rule: Rule, alert: Alert, evaluation: Evaluation, now: datetime
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
    if now - (pending_since or now) >= rule.for_:
        change = Change.BREACH_STARTED if pending_since is None else Change.BREACH_HELD
        return _fired(alert, pending_since, now), change
    if pending_since is not None:
        return alert, None
    return replace(alert, state=State.PENDING, since=now, pending_since=now), Change.BREACH_STARTED


def _fired(alert: Alert, pending_since: datetime | None, now: datetime) -> Alert:
    """A new firing: whatever belonged to the one before is gone."""
    return replace(
        alert,
        state=State.FIRING,
        since=now,
        pending_since=pending_since,
        firing_since=now,
        resolved_at=None,
        episode=alert.episode + 1,
        ack=None,
        muted_by=None,
    )


def _on_ok(rule: Rule, alert: Alert, evaluation: Evaluation, now: datetime) -> tuple[Alert, Change | None]:
    if alert.state is State.PENDING:
        return _ended(alert, evaluation, now), Change.BREACH_ENDED
    if not evaluation.cleared:
        return replace(alert, evidence=evaluation.evidence, last_breach_at=now), None
    if now - (alert.last_breach_at or now) < rule.keep_firing_for:
        return alert, None
    change = Change.NO_DATA if evaluation.verdict is Verdict.NO_DATA else Change.RECOVERED
    return _ended(alert, evaluation, now), change


def _ended(alert: Alert, evaluation: Evaluation | None, now: datetime) -> Alert:
    """Pending goes back to inactive, firing to resolved. The severity stays what it was when it was told."""
    evidence = alert.evidence if evaluation is None else evaluation.evidence
    if alert.state is State.PENDING:
        return replace(alert, state=State.INACTIVE, since=now, pending_since=None, evidence=evidence)
    return replace(
        alert, state=State.RESOLVED, since=now, pending_since=None, resolved_at=now, evidence=evidence
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
    return replace(_shifted(alert, now - alert.last_evaluated_at), last_evaluated_at=now)


def _clock_checked(alert: Alert, now: datetime) -> Alert:
    """The alert, its timers moved along when the clock jumped back: what had elapsed stays elapsed."""
    return _shifted(alert, now - alert.last_evaluated_at) if now < alert.last_evaluated_at else alert


def _shifted(alert: Alert, by: timedelta) -> Alert:
    return replace(
        alert,
        pending_since=None if alert.pending_since is None else alert.pending_since + by,
        last_breach_at=None if alert.last_breach_at is None else alert.last_breach_at + by,
    )
