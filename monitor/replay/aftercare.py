"""What becomes of items whose request left: settled by a record we look up, unconfirmed, or interrupted.

Receivers that report the item's id are heard through the feed; this is for the others, and for crashes. It
sends nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.dead_letters import UNFINISHED, Item, ItemState
from monitor.model import Outcome, Record
from monitor.replay.hearing import hear, letter_record
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader

UNCONFIRMED_AFTER = timedelta(minutes=10)
LOOK_UP_AFTER = timedelta(seconds=2)
LOOK_UP_EVERY = timedelta(seconds=15)
LOOK_UPS_A_RUN = 50
MOST_SENDINGS = 2
"""An item that was interrupted is sent once more; the receiver knows the event by its id."""
_ENDS = frozenset({Outcome.SUCCEEDED, Outcome.DUPLICATE, Outcome.DEAD_LETTERED})
"""What ends an event whose receiver reports no replay; `failed` is tried again by the receiver itself."""


@dataclass(slots=True)
class Aftercare:
    """Part of the replay job. It remembers when it last looked for each item."""

    control: Control
    facts: FactReader
    clock: Clock
    _looked: dict[str, datetime] = field(default_factory=dict)

    def run(self, epoch: int, long_over: timedelta) -> None:
        """long_over: a request that began so long ago has ended, however it ended."""
        in_flight = self.control.replays.in_flight()
        self._looked = {item.id: at for item in in_flight if (at := self._looked.get(item.id))}
        now = self.clock.now()
        for item in in_flight:
            if item.state is ItemState.SENDING and _is_lost(item, epoch, now - long_over):
                self._recover(item, epoch)
        waiting = [item for item in in_flight if item.state is ItemState.SENT]
        self._look_up([item for item in waiting if self._worth_a_look(item, now)], epoch, now)
        for item in waiting:
            if item.sent_at is not None and now - item.sent_at >= UNCONFIRMED_AFTER:
                self._give_up(item, epoch, now)

    def _recover(self, item: Item, epoch: int) -> None:
        replay = self.control.replays.get(item.replay_id)
        again = item.attempts < MOST_SENDINGS and replay is not None and replay.state in UNFINISHED
        to = ItemState.PLANNED if again else ItemState.SENT
        with self.control.leading(epoch) as tx:
            self.control.replays.change(
                tx,
                item.id,
                [ItemState.SENDING],
                to,
                reason="interrupted",
                sent_at=None if again else item.sending_at,
            )

    def _look_up(self, items: list[Item], epoch: int, now: datetime) -> None:
        """The first final record after the send settles the item."""
        for item in items[:LOOK_UPS_A_RUN]:
            self._looked[item.id] = now
            record = self._first_final(item)
            if record is None:
                continue
            with self.control.leading(epoch) as tx:
                hear(self.control, tx, item.key, letter_record(record, item.id), item, now)

    def _worth_a_look(self, item: Item, now: datetime) -> bool:
        looked = self._looked.get(item.id)
        rested = looked is None or now - looked >= LOOK_UP_EVERY
        return rested and item.sent_at is not None and now - item.sent_at >= LOOK_UP_AFTER

    def _first_final(self, item: Item) -> Record | None:
        key, since = item.key, item.sending_at
        records = self.facts.event(key.environment, key.source, key.event_id)
        later = (one for one in records if one.endpoint == key.endpoint and since and one.recorded_at > since)
        return next((one for one in later if one.replay_id is None and one.outcome in _ENDS), None)

    def _give_up(self, item: Item, epoch: int, now: datetime) -> None:
        with self.control.leading(epoch) as tx:
            self.control.replays.change(
                tx,
                item.id,
                [ItemState.SENT],
                ItemState.UNCONFIRMED,
                reason="no record within 10 minutes",
                settled_at=now,
            )


def _is_lost(item: Item, epoch: int, began_before: datetime) -> bool:
    """Whether whoever sent it will not say any more what became of it."""
    return item.epoch != epoch or (item.sending_at is not None and item.sending_at < began_before)
