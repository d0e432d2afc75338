"""The weekly drill: on its day, from its hour on, one message to every channel, put into the outbox.

The outbox knows each by channel and week, so neither a restart nor a second worker sends it twice. A worker
that was away on the day makes up for it within a day, and later not at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from alerts.exercises import drill
from alerts.model import Notification

LATEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """weekday: 0 for Monday. hour: local, in the zone."""

    zone: ZoneInfo
    weekday: int
    hour: int
    channels: Sequence[str]


class Outbox(Protocol):
    def add(self, notifications: Sequence[Notification], epoch: int) -> int:
        """Adds what is not there yet; how many were new. Refused with Conflict under a past epoch."""
        ...


@dataclass(frozen=True, slots=True)
class Drilling:
    """The job. plan: None where the configuration wants no drill."""

    plan: Callable[[], Plan | None]
    outbox: Outbox
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Puts the drill of this week into the outbox when its time has come."""
        plan, now = self.plan(), self.now()
        if plan is None:
            return ""
        due_at = last_due_at(plan, now)
        if now - due_at > LATEST:
            return ""
        week = week_of(due_at, plan.zone)
        added = self.outbox.add([drill(channel, week, now) for channel in plan.channels], epoch)
        return f"the drill of {week} goes to {added} channels" if added else ""


def last_due_at(plan: Plan, now: datetime) -> datetime:
    """The latest time at which a drill was due, now or before."""
    today = now.astimezone(plan.zone).date()
    day = today - timedelta(days=(today.weekday() - plan.weekday) % 7)
    due_at = datetime.combine(day, time(plan.hour), plan.zone)
    return due_at if due_at <= now else datetime.combine(day - timedelta(days=7), time(plan.hour), plan.zone)


def week_of(at: datetime, zone: ZoneInfo) -> str:
    """The ISO week of a time in a zone."""
    year, week, _ = at.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"
