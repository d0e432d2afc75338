"""Which channels an alert belongs to. Routes only name channels; they never send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from alerts.model import Alert, Route, Severity
from alerts.patterns import all_match
from alerts.rules import outbox_stuck
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


def routed_channels(alert: Alert, routes: Sequence[Route]) -> dict[str, Route]:
    """Each channel the alert goes to, once, with the route that counts for it: the one that repeats
    soonest."""
    chosen: dict[str, Route] = {}
    for route in matching_routes(alert, routes):
        for channel in route.channels:
            known = chosen.get(channel)
            if known is None or repeat_of(route, alert) < repeat_of(known, alert):
                chosen[channel] = route
    return _around(alert, chosen, routes)


def _around(alert: Alert, chosen: dict[str, Route], routes: Iterable[Route]) -> dict[str, Route]:
    """An alert about a channel that does not work goes to the others of its routes, else to any other there
    is; to the channel itself only where it is the only one."""
    if alert.kind != outbox_stuck.KIND.name or not chosen:
        return chosen
    stuck = alert.labels.get(outbox_stuck.CHANNEL)
    anywhere = {name: route for route in routes for name in (*route.channels, route.fallback) if name}
    for known in (chosen, anywhere):
        others = {name: route for name, route in known.items() if name != stuck}
        if others:
            return others
    return chosen


def repeat_of(route: Route, alert: Alert) -> timedelta:
    """How long after its last message a channel is told again; timedelta.max for never."""
    return route.repeat.get(alert.severity, timedelta.max)
