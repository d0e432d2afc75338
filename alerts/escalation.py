"""Who else is told when nobody takes an alert on: the steps of its routes, counted from its first message.

What was told stands in the outbox, so a restart loses no step. Pure: it tells nobody itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from alerts.model import OPENING, Alert, Route, Telling


def elapsed_since(telling: Telling, alert: Alert, now: datetime) -> timedelta:
    """How long ago the channel was told, whatever jumps the wall clock has made since."""
    return now - telling.created_at - (alert.jumped - telling.jumped)


def escalated(
    alert: Alert, routes: Iterable[Route], known: Sequence[Telling], now: datetime
) -> dict[str, Route]:
    """The channels of each step whose time has come, with their routes; none while somebody has taken the
    alert on.

    known: what was told of this episode. A message that no channel took counts too: nobody answered it.
    """
    openings = [telling for telling in known if telling.reason in OPENING]
    if not openings or (alert.ack is not None and alert.ack.holds(now)):
        return {}
    waited = max(elapsed_since(telling, alert, now) for telling in openings)
    return {
        channel: route
        for route in routes
        for step in route.steps
        if waited >= step.after
        for channel in step.channels
    }
