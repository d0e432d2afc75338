"""Which event type a target's failures are of: one type alone may be out while the endpoint as a whole looks
fine."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.model import Observations, Target, Window
from alerts.wording import percent

MOST, FEW = 0.8, 0.5
"""A type is named that has so large a part of the failures, though no larger a part of the attempts."""


def by_type(seen: Observations, target: Target, window: Window) -> Sequence[Window]:
    """The same window of each event type of the endpoint; of a target that is one type already, none."""
    if target.event_type is not None:
        return ()
    return [seen.window(one, window.start_at, window.end_at) for one in seen.types(target)]


def mostly(types: Sequence[Window], window: Window) -> str:
    """`, 98 % of them invoice.paid` where the failures are of one type, else nothing. window: one with
    failures."""
    worst = max(types, key=lambda one: one.failures, default=None)
    if worst is None or worst.attempts > FEW * window.attempts:
        return ""
    share = worst.failures / window.failures
    return f", {percent(share)} of them {worst.target.event_type}" if share >= MOST else ""


def worst_type(types: Sequence[Window], least: int) -> Window | None:
    """The window of the type with the largest share of failures, of those with at least so many attempts."""
    judged = [one for one in types if one.attempts >= max(1, least)]
    return max(judged, key=lambda one: (one.failures / one.attempts, one.failures), default=None)
