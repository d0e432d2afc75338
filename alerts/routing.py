"""Which channels an alert belongs to. Routes only name channels; they never send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.model import Alert, Route, Severity
from alerts.patterns import all_match
from alerts.silences import matchable


def matching_routes(alert: Alert, routes: Iterable[Route]) -> list[Route]:
    """The routes whose severity and matchers fit the alert, in their order."""
    labels = matchable(alert)
    return [
        route
        for route in routes
        if alert.severity.rank >= route.min_severity.rank and all_match(route.matchers, labels)
    ]


def is_quiet(route: Route, alert: Alert, now: datetime) -> bool:
    """Whether the route holds the alert back for its quiet hours. What is critical passes."""
    hours = route.quiet_hours
    return hours is not None and alert.severity is not Severity.CRITICAL and hours.cover(now)


def routed_channels(alert: Alert, routes: Iterable[Route]) -> dict[str, Route]:
    """Each channel the alert goes to, once, with the route that counts for it: the one that repeats
    soonest."""
    chosen: dict[str, Route] = {}
    for route in matching_routes(alert, routes):
        for channel in route.channels:
            known = chosen.get(channel)
            if known is None or repeat_of(route, alert) < repeat_of(known, alert):
                chosen[channel] = route
    return chosen


def repeat_of(route: Route, alert: Alert) -> timedelta:
    """How long after its last message a channel is told again; timedelta.max for never."""
    return route.repeat.get(alert.severity, timedelta.max)
