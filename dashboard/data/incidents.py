"""What somebody has to look at: alerts, issues, dead letters, replays. From control and the records."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.issues import Issue, IssueState
from alerts.model import Rule, State, Transition, fingerprint_of
from alerts.rules import TICKETS
from dashboard.data.records import several
from dashboard.scope import Scope
from dashboard.views import (
    AlertLine,
    AlertView,
    IssueLine,
    IssuesView,
    IssueView,
    LetterLine,
    LettersView,
    NotificationLine,
    Outage,
    ReplayLine,
    TransitionLine,
)
from monitor.dead_letters import SHOWN, ItemState, LetterFilter, LetterState
from monitor.model import SeriesKey
from monitor.queries import alerts as alert_query
from monitor.queries import dead_letters, replays
from monitor.queries.alerts import AlertSummary
from monitor.queries.dead_letters import LetterSummary
from monitor.store.control import Control
from monitor.store.control.issues import IssueFilter
from monitor.store.facts.protocol import FactReader

WAITING = "waiting"
ALL = "all"
LETTER_STATES: Mapping[str, Sequence[LetterState]] = {
    WAITING: (LetterState.OPEN, LetterState.PERMANENT),
    LetterState.OPEN.value: (LetterState.OPEN,),
    LetterState.PERMANENT.value: (LetterState.PERMANENT,),
    LetterState.RESOLVED.value: (LetterState.RESOLVED,),
    ALL: SHOWN,
}
"""What the filter of the page may say."""
UNRESOLVED = "open"
FRESH = (IssueState.NEW, IssueState.REGRESSED)
ISSUE_STATES: Mapping[str, Sequence[IssueState]] = {
    UNRESOLVED: (*FRESH, IssueState.ONGOING),
    **{state.value: (state,) for state in IssueState},
    ALL: tuple(IssueState),
}
"""The same for issues."""
_RESOLVED_SHOWN = 50


def alerts(control: Control, environment: str) -> list[AlertLine]:
    """All that fire or may soon, and the latest that have resolved."""
    active = alert_query.alerts(control, environment, (State.FIRING, State.PENDING), limit=1000)
    over = alert_query.alerts(control, environment, (State.RESOLVED,), limit=_RESOLVED_SHOWN)
    return [_alert(one) for one in (*active.alerts, *over.alerts)]


def alert(control: Control, facts: FactReader, fingerprint: str) -> AlertView | None:
    """One alert with its moves and messages, newest first, and the records that show it."""
    found = alert_query.alert(control, fingerprint)
    if found is None:
        return None
    return AlertView(
        _alert(found.summary),
        [
            TransitionLine(
                move.at,
                move.from_state.value,
                move.to_state.value,
                move.severity.value,
                move.reason.value,
                move.summary,
            )
            for move in found.transitions
        ],
        [
            NotificationLine(
                row.notification.created_at,
                row.notification.channel,
                row.notification.reason.value,
                row.delivery.value,
                row.tries,
                row.settled_at,
                row.error,
                row.reference,
            )
            for row in found.notifications
        ],
        several(facts, found.summary.alert.evidence.exemplars),
    )


def outages(control: Control, rules: Sequence[Rule], place: SeriesKey, most: int) -> list[Outage]:
    """When rules of its probes fired for the endpoint, the latest first."""
    labels = {
        "environment": place.environment,
        "source": place.source or "",
        "endpoint": place.endpoint or "",
    }
    found: list[Outage] = []
    for rule in rules:
        if rule.kind == "endpoint_down":
            fingerprint = fingerprint_of(rule.name, {**labels, **rule.labels})
            found += _firings(fingerprint, control.alerts.transitions(fingerprint))
    return sorted(found, key=lambda one: one.began_at, reverse=True)[:most]


def _firings(fingerprint: str, moves: Sequence[Transition]) -> list[Outage]:
    """moves: newest first."""
    found: list[Outage] = []
    ended_at: datetime | None = None
    for move in moves:
        if move.from_state is State.FIRING and move.to_state is not State.FIRING:
            ended_at = move.at
        elif move.to_state is State.FIRING and move.from_state is not State.FIRING:
            found.append(Outage(move.at, ended_at, fingerprint))
    return found


def firing_at(control: Control, environment: str) -> dict[SeriesKey, int]:
    """How many alerts fire at each endpoint; those of no endpoint under their source or the environment."""
    counts: dict[SeriesKey, int] = {}
    for one in alert_query.firing(control, environment):
        key = SeriesKey(environment, one.labels.get("source"), one.labels.get("endpoint"))
        counts[key] = counts.get(key, 0) + 1
    return counts


def letters_at(control: Control, environment: str) -> dict[SeriesKey, int]:
    """How many letters wait for somebody at each endpoint."""
    found = dead_letters.open_letters(control, environment)
    return {SeriesKey(environment, source, name): n for (source, name), n in found.items()}


def issues(control: Control, scope: Scope, limit: int, now: datetime) -> IssuesView:
    """The last seen issues that match the scope's filters, whatever its range: old ones count as well."""
    wanted = IssueFilter(
        scope.environment,
        scope.get("source"),
        scope.get("endpoint"),
        ISSUE_STATES.get(scope.get("state") or UNRESOLVED, ISSUE_STATES[UNRESOLVED]),
    )
    lines = [_issue(found, now) for found in control.issues.page(wanted, now, limit)]
    return IssuesView(lines, control.issues.matching(wanted, now))


def issue(control: Control, facts: FactReader, id: str, now: datetime) -> IssueView | None:
    """One issue with its latest failures."""
    found = control.issues.get(id)
    return (
        None if found is None else IssueView(_issue(found, now), several(facts, control.issues.records(id)))
    )


def _issue(found: Issue, now: datetime) -> IssueLine:
    kin = found.kin
    return IssueLine(
        kin.id,
        kin.source,
        kin.endpoint,
        kin.event_type,
        kin.error_class,
        kin.message,
        found.state(now).value,
        found.failures,
        found.first_seen_at,
        found.last_seen_at,
        found.resolved_by,
    )


def new_issues(control: Control, environment: str, now: datetime) -> int:
    """How many are new or have come back."""
    return control.issues.matching(IssueFilter(environment, states=FRESH), now)


def letters(control: Control, scope: Scope, limit: int) -> LettersView:
    """The newest letters that match the scope's filters, whatever its range: old ones wait as well."""
    states = LETTER_STATES.get(scope.get("state") or WAITING, LETTER_STATES[WAITING])
    wanted = LetterFilter(
        environment=scope.environment,
        source=scope.get("source"),
        endpoint=scope.get("endpoint"),
        error_class=scope.get("error"),
        states=states,
    )
    found = dead_letters.letters(control, wanted, limit)
    return LettersView(
        [_letter(one) for one in found.letters],
        sum(found.counts.get(state, 0) for state in states),
        {state.value: n for state, n in found.counts.items()},
    )


def replay_lines(control: Control, limit: int) -> list[ReplayLine]:
    """The latest replays."""
    return [
        ReplayLine(
            one.replay.id,
            one.replay.state.value,
            one.replay.reason,
            one.replay.created_by,
            one.replay.created_at,
            one.replay.ended_at,
            {state.value: one.counts.get(state, 0) for state in ItemState},
            one.replay.state_reason,
        )
        for one in replays.replays(control, limit).replays
    ]


def _alert(found: AlertSummary) -> AlertLine:
    one, seen = found.alert, found.alert.evidence
    ack = one.ack if one.ack is not None and one.ack.holds(one.last_evaluated_at) else None
    return AlertLine(
        one.fingerprint,
        one.rule,
        one.kind,
        one.severity.value,
        one.state.value,
        one.labels,
        seen.summary,
        one.since if one.state is State.PENDING else one.firing_since or one.since,
        seen.value,
        seen.threshold,
        seen.unit,
        found.told,
        found.quiet,
        ack.by if ack else None,
        ack.at if ack else None,
        ack.note if ack else "",
        one.resolved_at if one.state is State.RESOLVED else None,
        one.runbook,
        seen.sample,
        [(error.name, error.count) for error in seen.top_errors],
        seen.exemplars,
        one.muted_by if one.state is State.FIRING else None,
        one.flapping_since if one.state is State.FIRING else None,
        ack.until if ack else None,
        one.kind in TICKETS,
    )


def _letter(found: LetterSummary) -> LetterLine:
    one = found.letter
    return LetterLine(
        one.id,
        one.key.source,
        one.key.endpoint,
        one.key.event_id,
        one.standing.event_type,
        one.state.value,
        one.standing.error_class or "",
        one.standing.error_message or "",
        one.standing.attempt or 0,
        one.standing.failed_replays,
        one.standing.died_at,
        found.refusal.value if found.refusal else None,
    )
