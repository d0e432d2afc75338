"""Noting how many records each minute had when it was over: so that one can tell later which came late."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from monitor.store.control.minutes import Counts

MINUTE = timedelta(minutes=1)
ON_TIME = timedelta(seconds=15)
"""Receivers ship each few seconds: what is stored so long after its minute is not late."""
MOST = timedelta(hours=1)
"""After a longer pause the minutes before it are not noted: nobody judged them either."""


class Notes(Protocol):
    """Where it is written down."""

    def newest(self) -> datetime | None: ...

    def note(self, counts: Counts, epoch: int) -> None: ...


@dataclass(slots=True)
class Noting:
    """The job. count: (minute, environment) → records of the minutes in [start, end)."""

    count: Callable[[datetime, datetime], Counts]
    notes: Notes
    now: Callable[[], datetime]
    _until: datetime | None = None

    def run(self, epoch: int) -> str:
        """Notes the minutes that are over since the last time."""
        end_at = (self.now() - ON_TIME).replace(second=0, microsecond=0)
        if self._until is None:
            newest = self.notes.newest()
            self._until = end_at - MINUTE if newest is None else newest + MINUTE
        start_at = max(self._until, end_at - MOST)
        if start_at >= end_at:
            return ""
        self.notes.note(self.count(start_at, end_at), epoch)
        self._until = end_at
        return ""
