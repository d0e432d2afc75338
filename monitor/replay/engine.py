"""Sending running replays, one step of each item a transaction, so that a crash anywhere is gone on from.

An item is claimed under the leader's epoch before its request leaves, and what became of the request is
noted after. Nothing here resolves a letter: records do.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from monitor.clock import Clock
from monitor.dead_letters import Item, ItemState, Refusal, Replay, ReplayState
from monitor.errors import LeaseLost
from monitor.replay.aftercare import Aftercare
from monitor.replay.brake import STOP_AFTER, Pace, must_stop, sendable
from monitor.replay.hearing import hear, letter_record
from monitor.replay.planning import succeeded_since
from monitor.replay.preparing import prepared
from monitor.replay.sender import Arrival, Outgoing, Requests, Sent, send
from monitor.seal import Sealer
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader

PLANNED_A_RUN = 200
THREADS = 8
DEFAULT_TIMEOUT = timedelta(seconds=30)


@dataclass(slots=True)
class ReplayEngine:
    """The job, run each second. It remembers paces only; a restart loses nothing else.

    requests, timeout: what sends, and the time one request may take, both read at each run.
    """

    control: Control
    facts: FactReader
    requests: Callable[[], Requests]
    sealer: Sealer
    clock: Clock
    timeout: Callable[[], timedelta] = lambda: DEFAULT_TIMEOUT
    _paces: dict[str, Pace] = field(default_factory=dict)
    _aftercare: Aftercare = field(init=False)

    def __post_init__(self) -> None:
        self._aftercare = Aftercare(self.control, self.facts, self.clock)

    def run(self, epoch: int) -> str:
        """One step of everything that is on its way; says what was sent and what stopped."""
        self._aftercare.run(epoch, 2 * self.timeout())
        running = self.control.replays.running()
        self._paces = {replay.id: pace for replay in running if (pace := self._paces.get(replay.id))}
        said = [self._advance(replay, epoch) for replay in running]
        return "; ".join(sentence for sentence in said if sentence)

    def _advance(self, replay: Replay, epoch: int) -> str:
        why = self._brake(replay)
        if why:
            self._end(replay, ReplayState.STOPPED, why, epoch)
            return f"replay {replay.id} stopped: {why}"
        planned = self.control.replays.items(replay.id, [ItemState.PLANNED], PLANNED_A_RUN)
        in_flight = self.control.replays.in_flight()
        if not planned:
            if any(item.replay_id == replay.id for item in in_flight):
                return ""
            self._end(replay, ReplayState.COMPLETED, "", epoch)
            return f"replay {replay.id} completed"
        now_s = self.clock.monotonic()
        pace = self._paces.get(replay.id, Pace.start(replay.per_second, now_s)).refilled(now_s)
        chosen = sendable(planned, in_flight, replay.in_flight, pace.tokens)
        self._paces[replay.id] = pace.spent(len(chosen))
        sent = sum(self._send_all(chosen, epoch))
        return f"replay {replay.id} sent {sent}" if sent else ""

    def _brake(self, replay: Replay) -> str:
        """Why the replay must stop; empty when it may go on."""
        latest = self.control.replays.latest_settled(replay.id, 4 * STOP_AFTER)
        since = replay.resumed_at or replay.created_at
        counted = [item for item in latest if item.settled_at is not None and item.settled_at >= since]
        if not must_stop([item.state for item in counted]):
            return ""
        last = next(item for item in counted if item.state is ItemState.FAILED)
        return f"{STOP_AFTER} failures in a row, the last: {last.reason}"

    def _end(self, replay: Replay, state: ReplayState, why: str, epoch: int) -> None:
        with self.control.leading(epoch) as tx:
            self.control.replays.move(tx, replay.id, [ReplayState.RUNNING], state, self.clock.now(), why)

    def _send_all(self, items: Sequence[Item], epoch: int) -> list[bool]:
        if len(items) < 2:
            return [self._send(item, epoch) for item in items]
        with ThreadPoolExecutor(min(THREADS, len(items)), "replay") as pool:
            return list(pool.map(lambda item: self._send(item, epoch), items))

    def _send(self, item: Item, epoch: int) -> bool:
        """Whether its request left."""
        outgoing = Refusal.SUCCEEDED.value if self._done_elsewhere(item, epoch) else self._prepared(item)
        if not isinstance(outgoing, Outgoing):
            self._skip(item, outgoing, epoch)
            return False
        if not self.control.replays.claim(epoch, item.id, self.clock.now()):
            return False
        if not self.control.leases.holds(epoch):  # the last look before the socket is written
            raise LeaseLost("another worker leads now", "that one goes on with the replay")
        sent = send(outgoing, self.requests(), self.clock.now().timestamp(), self.timeout().total_seconds())
        self._note(item, sent, epoch)
        return True

    def _prepared(self, item: Item) -> Outgoing | str:
        return prepared(self.control, self.sealer, item)

    def _done_elsewhere(self, item: Item, epoch: int) -> bool:
        """Whether the event was processed meanwhile; the record that says so resolves the letter.

        It settles the item too if an earlier sending of it, cut off by a crash, is what succeeded.
        """
        letter = self.control.letters.get(item.letter_id)
        record = None if letter is None else succeeded_since(self.facts, letter)
        if record is None:
            return False
        with self.control.leading(epoch) as tx:
            heard = letter_record(record, record.replay_id)
            own = item if record.replay_id == item.id else None
            hear(self.control, tx, item.key, heard, own, self.clock.now())
        return True

    def _skip(self, item: Item, why: str, epoch: int) -> None:
        now = self.clock.now()
        with self.control.leading(epoch) as tx:
            self.control.replays.change(
                tx, item.id, [ItemState.PLANNED], ItemState.SKIPPED, reason=why, settled_at=now
            )

    def _note(self, item: Item, sent: Sent, epoch: int) -> None:
        """What became of the request; a record that was quicker has settled the item already, and stands."""
        now, refused = self.clock.now(), sent.arrival is Arrival.REFUSED
        with self.control.leading(epoch) as tx:
            self.control.replays.change(
                tx,
                item.id,
                [ItemState.SENDING],
                ItemState.FAILED if refused else ItemState.SENT,
                reason=sent.reason,
                sent_at=now,
                settled_at=now if refused else None,
                http_status=sent.http_status,
            )
