"""Alerts that fire and resolve again and again: held firing, told of once, let go when they have been calm.

The times of its last firings stand in the alert itself. It changes no state: the lifecycle asks here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Alert


@dataclass(frozen=True, slots=True)
class Damping:
    """An alert that fires `count` times within `window` flaps; it stops after `calm` without a breach.

    count 0 damps nothing.
    """

    count: int = 3
    window: timedelta = timedelta(hours=1)
    calm: timedelta = timedelta(minutes=30)


DAMPING = Damping()


def firings(alert: Alert, damping: Damping, now: datetime) -> tuple[datetime, ...]:
    """The alert's firings that still count, one that begins now included; the oldest first."""
    counted = [at for at in alert.fired_at if now - damping.window < at <= now]
    return (*counted, now)[-max(damping.count, 1) :]


def is_flapping(fired_at: Sequence[datetime], damping: Damping) -> bool:
    return 0 < damping.count <= len(fired_at)


def held(alert: Alert, damping: Damping, now: datetime) -> bool:
    """Whether the alert may not resolve yet because it flaps and has not been calm for long enough."""
    if alert.flapping_since is None:
        return False
    return now - (alert.last_breach_at or alert.flapping_since) < damping.calm
