"""Automatic redelivery: every few minutes, the open letters of sources that ask for it, as a replay.

The same plan, pace and brake as a person's; five failures of a letter set it aside for a person.
"""

from collections.abc import Callable
from dataclasses import dataclass

from monitor.clock import Clock
from monitor.dead_letters import LetterFilter, LetterState
from monitor.replay.plan import plan
from monitor.replay.planning import frozen, survey
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader

BATCH = 100


@dataclass(frozen=True, slots=True)
class Redelivery:
    """The job. per_second: read at each run."""

    control: Control
    facts: FactReader
    clock: Clock
    new_id: Callable[[], str]
    per_second: Callable[[], float] = lambda: 5.0

    def run(self, epoch: int) -> str:
        """Starts one replay for each source that has letters to send; says how many letters."""
        sources = [source.name for source in self.control.catalog.sources() if source.redeliver]
        said = [self._redeliver(source, epoch) for source in sources]
        return "; ".join(sentence for sentence in said if sentence)

    def _redeliver(self, source: str, epoch: int) -> str:
        wanted = LetterFilter(source=source, states=(LetterState.OPEN,))
        ids = [letter.id for letter in self.control.letters.page(wanted, BATCH)]
        made = plan(survey(self.control, self.facts, ids), self.per_second())
        if not made.to_send:
            return ""
        now = self.clock.now()
        replay, items = frozen(made, "worker", "automatic redelivery", now, self.new_id, automatic=True)
        sent = [item for item in items if item.letter_id in made.to_send]
        with self.control.leading(epoch) as tx:
            if self.control.replays.busy_letters(tx, made.to_send):
                return ""  # a person was quicker; the rest has its turn next time
            self.control.replays.add(tx, replay, sent)
            detail = {"letters": len(sent), "source": source}
            self.control.audit.append(
                tx, now, "worker", "system", "worker", "replay.start", replay.id, detail
            )
        return f"redelivers {len(sent)} letters of {source}"
