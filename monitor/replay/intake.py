"""Taking the feed of the facts into control: issues, dead letters, what their replays came to, how far it
was read.

All that one batch of the feed says, the alerts it raises and the mark commit in one transaction; what was
applied before changes nothing. It reads the facts and writes none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from alerts.model import Alert, Inhibition, Route, Silence, State, Telling
from alerts.notifier import Due, due
from monitor.clock import Clock
from monitor.dead_letters import PERMANENT_LETTER, LetterKey, LetterState, SealedCapture
from monitor.model import Outcome
from monitor.replay.failing import failure_of
from monitor.replay.hearing import belongs, hear, letter_record
from monitor.replay.permanent import fingerprint, permanent_alert
from monitor.store.control import Control, Tx
from monitor.store.control.marks import FeedMark
from monitor.store.control.notifications import enqueue
from monitor.store.facts.protocol import FactReader, FeedRow

BATCH = 200
BATCHES_A_RUN = 25
"""A long feed is taken in several runs, so that other jobs' writes are not kept waiting."""

Place = tuple[str, str, str]
"""Environment, source, endpoint."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The job, run each second."""

    control: Control
    facts: FactReader
    routes: Callable[[], Sequence[Route]]
    clock: Clock
    windows: Callable[[], Sequence[Silence]] = tuple
    inhibitions: Callable[[], Sequence[Inhibition]] = tuple

    def run(self, epoch: int) -> str:
        """Takes what came since the mark; says how many rows and letters."""
        taken, died = 0, 0
        for _ in range(BATCHES_A_RUN):
            rows, letters = self._batch(epoch)
            taken, died = taken + rows, died + letters
            if rows < BATCH:
                break
        self._tell(epoch)
        if not taken:
            return ""
        return f"took {taken} records, {died} new dead letters"

    def _batch(self, epoch: int) -> tuple[int, int]:
        mark, store_id = self.control.marks.feed(), self.facts.store_id()
        known = mark is not None and mark.store_id == store_id
        # A store we do not know, such as a restored one, is read from its start: applying is idempotent.
        start = (mark.xid, mark.seq) if mark is not None and known else (0, 0)
        rows = self.facts.feed(*start, BATCH)
        if not rows and known:
            return 0, 0
        end = (rows[-1].xid, rows[-1].seq) if rows else start
        around = self._around()
        with self.control.leading(epoch) as tx:
            died = self._apply(tx, rows, around)
            self.control.marks.put_feed(tx, FeedMark(store_id, *end))
        return len(rows), died

    def _apply(self, tx: Tx, rows: Sequence[FeedRow], around: "_Around") -> int:
        died, touched = 0, set[Place]()
        for row in rows:
            failure = failure_of(row)
            if failure is not None:
                self.control.issues.count(tx, failure, self.clock.now())
            found = self._apply_one(tx, row)
            if found is None:
                continue
            key, before, after = found
            died += before in (LetterState.NONE, LetterState.RESOLVED) and after is LetterState.OPEN
            if before is not after and LetterState.PERMANENT in (before, after):
                touched.add((key.environment, key.source, key.endpoint))
        for place in sorted(touched):
            self._raise(tx, place, around)
        return died

    def _apply_one(self, tx: Tx, row: FeedRow) -> tuple[LetterKey, LetterState, LetterState] | None:
        record = row.record
        item = self.control.replays.item_within(tx, record.replay_id) if record.replay_id else None
        if item is not None and not belongs(item, record):
            item = None
        if item is not None:
            key = item.key
        elif record.event_id is not None and record.outcome is Outcome.DEAD_LETTERED:
            key = LetterKey(record.environment, record.source, record.endpoint, record.event_id)
        else:
            return None  # an item of another installation, or of one that control has lost
        heard = letter_record(record, None if item is None else item.id)
        before, after = hear(self.control, tx, key, heard, item, self.clock.now())
        if row.sealed_capture is not None:
            self.control.letters.keep_capture(
                tx, key.id, SealedCapture(row.sealed_capture, row.capture_redacted)
            )
        return key, before, after

    def _raise(self, tx: Tx, place: Place, around: "_Around") -> None:
        """The endpoint's alert about permanent letters and what is due for it, in their own transaction."""
        now = self.clock.now()
        known = self.control.alerts.within(tx, fingerprint(*place))
        made = permanent_alert(known, *place, self.control.letters.permanent_within(tx, *place), now)
        if made is None:
            return
        alert, transition = made
        self.control.alerts.put(tx, alert, [] if transition is None else [transition])
        if alert.state is State.FIRING and transition is not None:
            enqueue(tx, self._due(alert, around, ()).notifications)

    def _tell(self, epoch: int) -> None:
        """What became due for these alerts since: repeats, closings, a silence that ended or began."""
        alerts = [one for one in self.control.alerts.wanted(()).values() if one.kind == PERMANENT_LETTER]
        if not alerts:
            return
        around, told = self._around(), self.control.notifications.tellings(alerts)
        for alert in alerts:
            found = self._due(alert, around, told.get(alert.fingerprint, ()))
            muted_by = found.muted_by if alert.state is State.FIRING else alert.muted_by
            if found.notifications or muted_by != alert.muted_by:
                after = replace(alert, muted_by=muted_by)
                self.control.alerts.apply(epoch, after, [], found.notifications)

    def _around(self) -> "_Around":
        silences = [*self.control.silences.current(self.clock.now()), *self.windows()]
        return _Around(silences, self.control.alerts.active())

    def _due(self, alert: Alert, around: "_Around", told: Sequence[Telling]) -> Due:
        return due(
            alert,
            routes=self.routes(),
            silences=around.silences,
            others=around.active,
            told=told,
            now=self.clock.now(),
            inhibitions=self.inhibitions(),
        )


@dataclass(frozen=True, slots=True)
class _Around:
    """What else decides who is told; read before the transaction, which reads nothing but its own rows."""

    silences: Sequence[Silence]
    active: Sequence[Alert]
