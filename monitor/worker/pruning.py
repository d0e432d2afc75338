"""Control kept small: finished alerts, settled notifications, old sessions and answers go after their time.

Facts are pruned by the collector, which owns their floor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Broom:
    """One kind of thing. delete: removes what ended before a time, under the epoch, and says how many."""

    what: str
    keep: Callable[[], timedelta]
    delete: Callable[[datetime, int], int]


@dataclass(frozen=True, slots=True)
class Pruning:
    """The job."""

    brooms: Sequence[Broom]
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Removes what is past its time; says what went."""
        gone = [(broom.what, broom.delete(self.now() - broom.keep(), epoch)) for broom in self.brooms]
        return ", ".join(f"{count} {what}" for what, count in gone if count)
