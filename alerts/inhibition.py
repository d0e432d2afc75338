"""Which alerts are only the consequence of another one that fires already, and so need no message of their
own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alerts.model import Alert, State

CONSEQUENCES: Mapping[str, frozenset[str]] = {
    "endpoint_down": frozenset({"error_rate", "failure_count", "slow_processing"}),
}
"""A firing alert of the kind on the left hides those on the right at the same place. The cause is critical,
so what it hides is never worse than what is told; forged signatures are nobody's consequence."""

PLACE = ("environment", "source", "endpoint")


def inhibiting(alert: Alert, others: Iterable[Alert]) -> Alert | None:
    """The firing alert that explains this one; None when none does. The earliest to fire comes first."""
    causes = [
        other
        for other in others
        if other.state is State.FIRING
        and alert.kind in CONSEQUENCES.get(other.kind, frozenset())
        and _same_place(other, alert)
    ]
    return min(causes, key=lambda cause: (cause.firing_since or cause.since, cause.fingerprint), default=None)


def _same_place(cause: Alert, alert: Alert) -> bool:
    return all(cause.labels.get(part) == alert.labels.get(part) for part in PLACE)
