"""An SLO's error budget: how fast it is used up, and how long what is left of it lasts. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.model import Observations, Target, Window
from alerts.wording import span

HOUR = timedelta(hours=1)
PERIOD = timedelta(days=30)
"""How long a budget is to last, unless a rule says otherwise."""


def burn_rate(window: Window, objective: float) -> float:
    """How many times as fast as it lasts the budget is used up; 0 where nothing ended."""
    return window.dead_lettered / window.ended / (1 - objective) if window.ended else 0.0


def window_back(seen: Observations, target: Target, now: datetime, length: timedelta) -> Window:
    """The window that ends now; a long one begins with a whole hour, so that few buckets make it up."""
    start_at = now - length
    if length >= 6 * HOUR:
        start_at = start_at.replace(minute=0, second=0, microsecond=0)
    return seen.window(target, start_at, now)


def time_left(
    seen: Observations, target: Target, now: datetime, rate: float, period: timedelta = PERIOD
) -> str:
    """`budget gone in 31 h at this rate`, or that it is gone. rate: above 0, of a target with an
    objective."""
    whole = window_back(seen, target, now, period)
    left = 1 - burn_rate(whole, seen.terms(target).objective or 0.0)
    if left <= 0:
        return f"the error budget of {span(period)} is gone"
    lasts = left * period / rate
    if lasts > 10 * HOUR:
        lasts = timedelta(hours=round(lasts / HOUR))
    return f"budget gone in {span(lasts)} at this rate"
