"""What the screens of alerts ask: the list with counts by state, and one alert with all that happened.

Reads control only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.model import OPENING, Alert, Delivery, Silence, State, Telling, Transition
from monitor.store.control import Control
from monitor.store.control.notifications import OutboxRow

SHOWN = (State.FIRING, State.PENDING, State.RESOLVED)


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """An alert and who knows of it. told: channels that took a message of its current firing. quiet: why
    nobody was told; None when somebody was, or nobody should be."""

    alert: Alert
    told: tuple[str, ...]
    quiet: str | None


@dataclass(frozen=True, slots=True)
class AlertList:
    """The latest change first. counts: of all alerts of the environment, by state."""

    alerts: Sequence[AlertSummary]
    counts: Mapping[State, int]
    next_before: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """transitions, notifications: newest first."""

    summary: AlertSummary
    transitions: Sequence[Transition]
    notifications: Sequence[OutboxRow]


def alerts(
    control: Control,
    environment: str | None = None,
    states: Sequence[State] = SHOWN,
    limit: int = 100,
    before: tuple[datetime, str] | None = None,
) -> AlertList:
    """A page. An alert without an environment, such as one about the monitor itself, shows in each."""
    found = control.alerts.page(states, limit + 1, before, environment)
    shown = found[:limit]
    told = control.notifications.tellings(shown)
    last = shown[-1] if len(found) > limit else None
    return AlertList(
        [_summary(one, told.get(one.fingerprint, ())) for one in shown],
        control.alerts.counts(environment),
        None if last is None else (last.since, last.fingerprint),
    )


def alert(control: Control, fingerprint: str) -> AlertDetail | None:
    """One alert with its history; None when there is none."""
    found = control.alerts.get(fingerprint)
    if found is None:
        return None
    told = control.notifications.tellings([found]).get(fingerprint, ())
    return AlertDetail(
        _summary(found, told),
        control.alerts.transitions(fingerprint),
        control.notifications.of_alert(fingerprint),
    )


def active(control: Control, environment: str | None = None) -> Sequence[Alert]:
    """Every alert that fires or may fire soon; one without an environment shows in each."""
    return [one for one in control.alerts.active() if _shows(one, environment)]


def firing(control: Control, environment: str | None = None) -> Sequence[Alert]:
    """Every alert that fires, the most severe first."""
    found = [one for one in active(control, environment) if one.state is State.FIRING]
    return sorted(found, key=lambda one: (-one.severity.rank, -one.since.timestamp()))


def silences(control: Control, now: datetime) -> Sequence[Silence]:
    """Those that have not ended, the next to end first."""
    return control.silences.current(now)


def _shows(one: Alert, environment: str | None) -> bool:
    return environment is None or one.labels.get("environment", environment) == environment


def _summary(one: Alert, told: Sequence[Telling]) -> AlertSummary:
    opening = [telling for telling in told if telling.reason in OPENING]
    arrived = tuple(
        dict.fromkeys(telling.channel for telling in opening if telling.delivery is Delivery.DELIVERED)
    )
    unheard = one.state is State.FIRING and not arrived
    return AlertSummary(one, arrived, _quiet(one, opening) if unheard else None)


def _quiet(one: Alert, opening: Sequence[Telling]) -> str:
    """Why a firing alert has reached nobody: `silence:<id>`, `alert:<fingerprint>`, due, given_up or
    no_route."""
    if one.muted_by is not None:
        return one.muted_by
    if not opening:
        return "no_route"
    waiting = any(telling.delivery is Delivery.DUE for telling in opening)
    return Delivery.DUE.value if waiting else Delivery.GIVEN_UP.value
