"""When to try a failed notification again, and when to stop trying. It draws no random number itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

Random = Callable[[], float]
"""A number in [0, 1), such as `random.random`."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first` to `longest`. give_up_after: counted from when the notification was
    due."""

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=15)
    give_up_after: timedelta = timedelta(hours=24)

    def next_try_at(
        self,
        tries: int,
        due_at: datetime,
        now: datetime,
        random: Random,
        retry_after_s: float | None = None,
    ) -> datetime | None:
        """When to try again after `tries` failures (at least 1); None to give up.

        Half of each wait is random, so that channels that failed together do not return together; the other
        half is not, so that a failing service is left alone for a while. A service's own wish (retry_after_s)
        is kept when it is longer, up to an hour.
        """
        full = min(self.first * 2 ** min(tries - 1, 30), self.longest)
        wait = full / 2 + full / 2 * random()
        if retry_after_s is not None:
            wait = max(wait, timedelta(seconds=min(max(retry_after_s, 0.0), 3600.0)))
        return None if now + wait - due_at > self.give_up_after else now + wait


PATIENT = Backoff()
"""Nobody else would tell: try for a day."""

BRISK = Backoff(longest=timedelta(minutes=2), give_up_after=timedelta(minutes=5))
"""A fallback stands ready: hand over after five minutes."""
