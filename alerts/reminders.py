"""What the author of a silence is told: that it ends soon, and what it hid once it has ended.

Nobody has an address of their own here, so it goes where an alert of the silenced kind would go, and names
the author. Pure: it stores and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.model import (
    Alert,
    Evidence,
    Notification,
    Route,
    Severity,
    Silence,
    State,
    Why,
    fingerprint_of,
)
from alerts.notifier import key_of
from alerts.routing import routed_channels
from alerts.wording import moment, span

LONGEST_LEAD = timedelta(hours=1)
LEAD_SHARE = 10
SHORT = timedelta(hours=1)
"""Whoever silences for less remembers it."""
NAMED = 5


class Reminder(StrEnum):
    """Which of the two it is."""

    ENDS_SOON = "ends_soon"
    HAS_ENDED = "has_ended"


@dataclass(frozen=True, slots=True)
class Hidden:
    """One firing that a silence kept quiet, from when on."""

    fingerprint: str
    episode: int
    rule: str
    severity: Severity
    summary: str
    at: datetime


def lead_of(silence: Silence) -> timedelta:
    """How long before its end the author hears of it: a tenth of its length, up to an hour."""
    return min((silence.ends_at - silence.starts_at) / LEAD_SHARE, LONGEST_LEAD)


def due_reminder(silence: Silence, hid: int, now: datetime, *, warned: bool) -> Reminder | None:
    """What its author should hear now. warned: whether ENDS_SOON was said. hid: how many firings it hid."""
    if now >= silence.ends_at:
        return Reminder.HAS_ENDED if hid else None
    lasts = silence.ends_at - silence.starts_at
    if not warned and lasts >= SHORT and now >= silence.ends_at - lead_of(silence):
        return Reminder.ENDS_SOON
    return None


def reminding(
    silence: Silence, reminder: Reminder, hidden: Sequence[Hidden], routes: Iterable[Route], now: datetime
) -> list[Notification]:
    """The notifications, to the channels that hear of the least severe alerts with these labels.

    hidden: the latest first.
    """
    alert = Alert(
        fingerprint=fingerprint_of("silence", {"id": silence.id}),
        rule="silence",
        kind="silence",
        severity=Severity.INFO,
        labels=dict(silence.matchers),
        state=State.FIRING,
        since=silence.starts_at,
        last_evaluated_at=now,
        evidence=Evidence(_sentence(silence, reminder, hidden, now), sample=len(hidden)),
        firing_since=silence.starts_at,
    )
    known = list(routes)
    for severity in Severity:
        if chosen := routed_channels(replace(alert, severity=severity), known):
            return [
                Notification(
                    key_of(alert, channel, Why.REMINDER, list(Reminder).index(reminder)),
                    channel,
                    Why.REMINDER,
                    alert,
                    now,
                )
                for channel in chosen
            ]
    return []


def _sentence(silence: Silence, reminder: Reminder, hidden: Sequence[Hidden], now: datetime) -> str:
    what = " ".join(f"{label}={pattern}" for label, pattern in sorted(silence.matchers.items()))
    whose = f'{silence.created_by or "somebody"}: the silence of {what} ("{silence.comment}")'
    if reminder is Reminder.ENDS_SOON:
        when = f"ends in {span(silence.ends_at - now)}, at {moment(silence.ends_at)}"
    else:
        when = f"ended at {moment(silence.ends_at)}"
    if not hidden:
        return f"{whose} {when}. It has hidden nothing"
    names = dict.fromkeys(one.rule for one in hidden)
    named = ", ".join(list(names)[:NAMED]) + (", …" if len(names) > NAMED else "")
    alerts = "1 alert" if len(hidden) == 1 else f"{len(hidden)} alerts"
    return f"{whose} {when}. It hid {alerts} ({named})"
