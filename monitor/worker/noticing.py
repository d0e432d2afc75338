"""Noting what is seen at each endpoint, so that a rule can tell what was never seen before."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from alerts.sightings import SHAPES, Aspect, Sighting
from monitor.model import SeriesKey

Key = tuple[SeriesKey, Aspect, str]

FIRST_LOOK = timedelta(days=1)
OVERLAP = timedelta(minutes=2)
"""Receivers ship each few seconds: a look sees again what the one before may have missed."""
AGAIN, SHAPES_AGAIN = timedelta(minutes=10), timedelta(days=1)
"""What is known is noted again this often at most: its last time need not be more exact."""
ALL_AGAIN = timedelta(hours=1)
"""Known types are looked up this often: an installation may have tens of thousands."""

MOST_REMEMBERED = 20_000
"""A sender with a new address each time fills no memory. Types are all remembered, as the facts do."""
AT_ONCE = 500
"""Sightings of one transaction: others write there too."""


class Notes(Protocol):
    def note(self, seen: Iterable[tuple[SeriesKey, Sighting]], epoch: int) -> int: ...


@dataclass(slots=True)
class Noticing:
    """The job. look: what the newest records since a time show, and types other than the known ones."""

    look: Callable[[datetime, Container[Key]], Mapping[Key, Sighting]]
    notes: Notes
    now: Callable[[], datetime]
    _since: datetime | None = field(default=None, init=False)
    _all_at: datetime | None = field(default=None, init=False)
    _noted: dict[Key, datetime] = field(default_factory=dict, init=False)

    def run(self, epoch: int) -> str:
        """Notes what is new, or was not noted for a while; says what is new."""
        now = self.now()
        is_whole = self._all_at is None or now - self._all_at >= ALL_AGAIN
        since = now - FIRST_LOOK if self._since is None else self._since - OVERLAP
        seen = self.look(since, () if is_whole else self._noted)
        worth = [(key, one) for key, one in seen.items() if self._is_news(key, one)]
        new = sum(self._note(worth[at : at + AT_ONCE], epoch) for at in range(0, len(worth), AT_ONCE))
        self._since, self._all_at = now, now if is_whole else self._all_at
        return f"{new} seen for the first time" if new else ""

    def _note(self, worth: Sequence[tuple[Key, Sighting]], epoch: int) -> int:
        new = self.notes.note([(key[0], one) for key, one in worth], epoch)
        if len(self._noted) > MOST_REMEMBERED:  # what is forgotten is noted once more
            self._noted = {key: at for key, at in self._noted.items() if key[1] is Aspect.TYPE}
        self._noted.update({key: one.last_at for key, one in worth})
        return new

    def _is_news(self, key: Key, one: Sighting) -> bool:
        known = self._noted.get(key)
        patience = SHAPES_AGAIN if one.aspect in SHAPES else AGAIN
        return known is None or abs(one.last_at - known) >= patience
