"""Telling the authors of silences that one ends soon, and what it hid. It decides nothing: `alerts.reminders`
does; the messages leave through the outbox like any other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerts.model import Notification, Route, Silence
from alerts.reminders import LONGEST_LEAD, Hidden, Reminder, due_reminder, reminding

LATEST = timedelta(days=1)
"""A worker that was away tells this late of a silence that ended."""


class Silences(Protocol):
    """Where silences are kept."""

    def unreported(self, since: datetime, until: datetime) -> Sequence[tuple[Silence, bool]]:
        """(silence, whether its author was warned) of those that end between."""
        ...

    def hidden(self, id: str, limit: int = 200) -> Sequence[Hidden]: ...

    def reported(
        self, id: str, reminder: Reminder, notifications: Sequence[Notification], at: datetime, epoch: int
    ) -> bool:
        """Notes it and stores the notifications in one transaction; False when it was noted before."""
        ...


@dataclass(frozen=True, slots=True)
class Reminding:
    """The job."""

    silences: Silences
    routes: Callable[[], Sequence[Route]]
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Makes due what authors should hear; says of which silences."""
        now = self.now()
        said = []
        for silence, warned in self.silences.unreported(now - LATEST, now + LONGEST_LEAD):
            hidden = self.silences.hidden(silence.id)
            reminder = due_reminder(silence, len(hidden), now, warned=warned)
            if reminder is None:
                continue
            notifications = reminding(silence, reminder, hidden, self.routes(), now)
            if self.silences.reported(silence.id, reminder, notifications, now, epoch):
                said.append(f"silence {silence.id} {reminder.value.replace('_', ' ')}")
        return "; ".join(said)
