"""Which channels an alert belongs to. Routes only name channels; they never send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from alerts.model import Alert, Route
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


def routed_channels(alert: Alert, routes: Iterable[Route]) -> dict[str, Route]:
    """Each channel the alert goes to, once, with the route that counts for it: the one that repeats
    soonest."""
    chosen: dict[str, Route] = {}
    for route in matching_routes(alert, routes):
        for channel in route.channels:
            known = chosen.get(channel)
            if known is None or _repeat(route) < _repeat(known):
                chosen[channel] = route
    return chosen


def _repeat(route: Route) -> timedelta:
    return route.repeat_every or timedelta.max
