"""Which alerts are only the consequence of another one that fires already, and so need no message of their
own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alerts.model import Alert, Inhibition, State
from alerts.patterns import all_match
from alerts.silences import matchable

CONSEQUENCES: Mapping[str, frozenset[str]] = {
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
    "failure_count": frozenset({"retry_storm", "burn_rate"}),
    "error_rate": frozenset({"retry_storm", "wrong_status"}),
    "ack_deadline": frozenset({"retry_storm", "slow_processing"}),
    "stuck_events": frozenset({"queue_depth"}),
    "verification_failures": frozenset({"no_events"}),
}
"""A firing alert of the kind on the left hides those on the right at the same place, unless they are severer:
what is hidden is never worse than what is told. Forged signatures are nobody's consequence."""

PLACE = ("environment", "source", "endpoint")


def inhibiting(alert: Alert, others: Iterable[Alert], configured: Sequence[Inhibition] = ()) -> Alert | None:
    """The firing alert that explains this one; None when none does. The earliest to fire comes first.

    Two alerts that would hide each other hide neither: somebody must be told.
    """
    causes = [
        other
        for other in others
        if other.state is State.FIRING
        and other.fingerprint != alert.fingerprint
        and _hides(other, alert, configured)
        and not _hides(alert, other, configured)
    ]
    return min(causes, key=lambda cause: (cause.firing_since or cause.since, cause.fingerprint), default=None)


def possible_causes(alerts: Iterable[Alert], configured: Sequence[Inhibition] = ()) -> list[Alert]:
    """Those that may hide another one: few among a thousand that fire."""
    return [
        alert
        for alert in alerts
        if alert.state is State.FIRING
        and (alert.kind in CONSEQUENCES or any(all_match(one.source, matchable(alert)) for one in configured))
    ]


def _hides(cause: Alert, alert: Alert, configured: Sequence[Inhibition]) -> bool:
    follows = alert.kind in CONSEQUENCES.get(cause.kind, frozenset())
    if follows and alert.severity.rank <= cause.severity.rank and _alike(cause, alert, PLACE):
        return True
    return any(
        all_match(one.source, matchable(cause))
        and all_match(one.target, matchable(alert))
        and _alike(cause, alert, one.equal)
        for one in configured
    )


def _alike(cause: Alert, alert: Alert, labels: Iterable[str]) -> bool:
    return all(cause.labels.get(label) == alert.labels.get(label) for label in labels)
