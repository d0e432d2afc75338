"""Which alerts are only the consequence of another one that fires already, and so need no message of their
own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from alerts.model import Alert, Inhibition, State
from alerts.patterns import all_match
from alerts.silences import matchable

CONSEQUENCES: Mapping[str, frozenset[str]] = {
    "certificate_expiry": frozenset({"endpoint_down", "no_events", "canary_lost"}),
    "endpoint_down": frozenset(
        {
            "error_rate",
            "failure_count",
            "slow_processing",
            "ack_deadline",
            "no_events",
            "stuck_events",
            "retry_storm",
            "burn_rate",
            "canary_lost",
        }
    ),
    "failure_count": frozenset(
        {
            "error_rate",
            "ack_deadline",
            "queue_depth",
            "stuck_events",
            "retry_storm",
            "burn_rate",
            "canary_lost",
        }
    ),
    "error_rate": frozenset({"retry_storm", "wrong_status"}),
    "ack_deadline": frozenset({"retry_storm", "slow_processing"}),
    "queue_depth": frozenset({"stuck_events", "canary_lost"}),
    "stuck_events": frozenset({"queue_depth", "canary_lost"}),
    "verification_failures": frozenset({"no_events"}),
}
"""A firing alert of the kind on the left hides those on the right at the same place, unless they are severer:
what is hidden is never worse than what is told. Of two kinds that hide each other, the first to fire is told.
Forged signatures are nobody's consequence; a certificate is a cause once senders refuse it."""

PLACE = ("environment", "source", "endpoint")

AFTERMATH = timedelta(minutes=45)
"""So long after its cause has ended, what was hidden stays so at most, while it looks back on that time: an
error rate over 15 minutes is high for 15 minutes after the last failure."""

ACTIVE = (State.PENDING, State.FIRING)

BY_ALERT = "alert:"
"""How `muted_by` of an alert begins that another one hides; its fingerprint follows."""


def inhibiting(alert: Alert, others: Iterable[Alert], configured: Sequence[Inhibition] = ()) -> Alert | None:
    """The alert that explains this one; None when none does. The earliest to fire comes first, then the one
    that hid it before and has ended.

    Alerts that would hide each other by configuration, two of them or more in a circle, hide none of theirs:
    somebody must be told.
    """
    known = [other for other in others if other.fingerprint != alert.fingerprint]
    firing = [other for other in known if other.state is State.FIRING]
    causes = [other for other in firing if _hides(other, alert, configured)]
    if causes:
        hidden = _hidden_by(alert, firing, configured)
        causes = [cause for cause in causes if cause.fingerprint not in hidden]
    ended = (other for other in known if _was_cause_lately(other, alert))
    return min(causes, key=_first_to_fire, default=next(ended, None))


def possible_causes(alerts: Collection[Alert], configured: Sequence[Inhibition] = ()) -> list[Alert]:
    """Those that may hide another one: few among a thousand that fire."""
    named = causes_named(alerts)
    return [
        alert
        for alert in alerts
        if alert.fingerprint in named or (alert.state is State.FIRING and _may_hide(alert, configured))
    ]


def causes_named(alerts: Iterable[Alert]) -> set[str]:
    """The fingerprints of those that hide, or hid until lately, one of these that fires or is about to."""
    return {
        alert.muted_by.removeprefix(BY_ALERT)
        for alert in alerts
        if alert.state in ACTIVE and alert.muted_by is not None and alert.muted_by.startswith(BY_ALERT)
    }


def _may_hide(alert: Alert, configured: Sequence[Inhibition]) -> bool:
    return alert.kind in CONSEQUENCES or any(all_match(one.source, matchable(alert)) for one in configured)


def _hides(cause: Alert, alert: Alert, configured: Sequence[Inhibition]) -> bool:
    if _explains(cause, alert) and not (
        _explains(alert, cause) and _first_to_fire(alert) < _first_to_fire(cause)
    ):
        return True
    return any(
        all_match(one.source, matchable(cause))
        and all_match(one.target, matchable(alert))
        and _alike(cause, alert, one.equal)
        for one in configured
    )


def _hidden_by(alert: Alert, firing: Sequence[Alert], configured: Sequence[Inhibition]) -> set[str]:
    """The fingerprints of those that the alert hides, of those that these hide in turn, and so on."""
    left, reached, asked = firing, set[str](), [alert]
    while asked:
        cause = asked.pop()
        found = [other for other in left if _hides(cause, other, configured)]
        reached.update(other.fingerprint for other in found)
        left = [other for other in left if other.fingerprint not in reached]
        asked += found
    return reached


def _explains(cause: Alert, alert: Alert) -> bool:
    return (
        alert.kind in CONSEQUENCES.get(cause.kind, frozenset())
        and _alike(cause, alert, PLACE)
        and alert.severity.rank <= cause.severity.rank
        and (cause.kind != "certificate_expiry" or _is_refused(cause))
    )


def _is_refused(certificate: Alert) -> bool:
    """Whether it is the endpoint's own, and good for no day any more."""
    left_days = certificate.evidence.value
    return "certificate" not in certificate.labels and left_days is not None and left_days <= 0


def _was_cause_lately(other: Alert, alert: Alert) -> bool:
    """Whether it hid the alert, and what the alert is judged by is still of that time."""
    ended_at, seen_from = other.resolved_at, alert.evidence.window_start_at
    return (
        other.state is State.RESOLVED
        and alert.muted_by == f"{BY_ALERT}{other.fingerprint}"
        and alert.severity.rank <= other.severity.rank
        and ended_at is not None
        and seen_from is not None
        and seen_from < ended_at
        and alert.last_evaluated_at - ended_at < AFTERMATH
    )


def _first_to_fire(alert: Alert) -> tuple[object, ...]:
    return (alert.firing_since or alert.since, alert.fingerprint)


def _alike(cause: Alert, alert: Alert, labels: Iterable[str]) -> bool:
    return all(cause.labels.get(label) == alert.labels.get(label) for label in labels)
