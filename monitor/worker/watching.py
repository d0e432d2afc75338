"""Whether rules are judged at all, seen from a thread of its own: a round that hangs or fails cannot say so.

While rounds come to their end this does nothing, and the round itself judges `evaluator_late` like any rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from alerts.house import House
from alerts.model import Observations
from alerts.rules import evaluator_late, monitor_blind
from monitor.worker.evaluation import Evaluation

KIND = evaluator_late.KIND.name


@dataclass(frozen=True, slots=True)
class NothingElse:
    """Of the Observations what the one rule asks: the facts may be what makes the rounds fail."""

    now: datetime
    evaluated_at: datetime

    def last_heartbeat_at(self) -> datetime:
        return self.now

    def house(self) -> House:
        return House(evaluated_at=self.evaluated_at)


@dataclass(slots=True)
class Watch:
    """The job. judged: a round of its own over the same rules and alerts. evaluated_at: when the last round
    was completed."""

    judged: Evaluation
    evaluated_at: Callable[[], datetime | None]
    _since: datetime | None = field(default=None, init=False)

    def run(self, epoch: int) -> str:
        """Judges `evaluator_late`, and nothing else, once rounds are late. Those of this worker are given
        their time from its start on."""
        now = self.judged.now()
        self._since = min(now, self._since or now)
        last_at = max(self._since, self.evaluated_at() or self._since)
        rules = self.judged.rules()
        limits = [rule.threshold for rule in rules if rule.kind == KIND and rule.enabled]
        if not limits or now - last_at <= timedelta(seconds=min(limits)):
            return ""
        not_due = [monitor_blind.KIND.name, *(rule.name for rule in rules if rule.kind != KIND)]
        seen = cast("Observations", NothingElse(now, last_at))
        alone = replace(self.judged, observe=lambda _: seen, last_run=dict.fromkeys(not_due, now))
        return alone.run(epoch)
