"""A durable inbox: events that were acknowledged before they are processed.

Putting an event in commits (synchronous=FULL) before the sender is answered, together with its claim, so a
crash at any moment loses nothing: the next start goes on with what is there. Runs no handler.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence

from hookvitals.event import Event
from hookvitals.ordering import STALE, Order
from hookvitals.state.base import Claim

if TYPE_CHECKING:
    import sqlite3

    from hookvitals.state.sqlite import SqliteState


class Put(Enum):
    """What became of an event that was put in."""

    STORED = "stored"
    WAITING = "waiting"  # a copy is here already
    DONE = "done"  # a copy was processed
    BUSY = "busy"  # a copy is worked by a receiver without inbox, or died there and has its lease still
    STALE = "stale"  # something newer was processed


@dataclass(frozen=True)
class Work:
    """One stored event; its `attempt` is the one about to be made."""

    id: int
    key: str
    event: Event
    owner: str = ""


@dataclass(frozen=True)
class Entry:
    """An event that is put in. key: its own, in the state. order: what it must not be older than."""

    key: str
    event: Event
    order: Optional[Order] = None
    together: "Optional[Together]" = None


@dataclass(frozen=True)
class Together:
    """Events that are handed over as one batch: when `size` wait, or `wait_us` after one came."""

    name: str
    size: int
    wait_us: int


_SELECT_FREE = (
    "SELECT id, key, work, body, attempts, due_us FROM inbox WHERE scope = :scope AND owner = ''"
    " AND resource NOT IN (SELECT resource FROM inbox WHERE scope = :scope AND owner <> '' AND owner <> :own"
    " AND resource <> '')"
    " AND (in_line = 0 OR NOT EXISTS (SELECT 1 FROM inbox earlier WHERE earlier.scope = :scope"
    " AND earlier.resource = inbox.resource AND earlier.attempts > 0 AND earlier.in_line = 1"
    " AND earlier.owner = '' AND earlier.id < inbox.id))"
)
"""In nobody's hands, and neither is another event of its resource; nor does one that stands before it in line
wait for its next attempt."""


class Inbox:
    """The inbox of one receiver, in its state file. scope: what sets it apart from others in the file.

    data_of: what a body that holds one event says of it.
    """

    def __init__(
        self,
        state: "SqliteState",
        scope: str,
        now_us: Callable[[], int],
        data_of: Callable[[bytes], Any] = json.loads,
    ) -> None:
        self._state = state
        self._scope = scope
        self._now_us = now_us
        self._data_of = data_of

    def put(
        self,
        key: str,
        event: Event,
        *,
        keep_us: int,
        order: Optional[Order] = None,
        together: Optional[Together] = None,
    ) -> Put:
        """Stores one event: see `put_all`."""
        return self.put_all([Entry(key, event, order, together)], keep_us=keep_us)[0]

    def put_all(self, entries: Sequence[Entry], *, keep_us: int) -> List[Put]:
        """Stores each event unless a copy was handled or waits, or a newer version was processed.

        One transaction with the claims: all are on disk, or none is. A batch's time is on disk:
        what a full batch leaves over, or a process that died, needs no timer of anybody's. Where nothing but
        their arrival orders the events of a resource (no `order`), they stand in line: none passes an
        earlier one that failed, until that is done or given up. A replay stands in no line.
        """
        now_us = self._now_us()
        with self._state.transaction() as db:
            return [self._put_in(db, entry, now_us, keep_us) for entry in entries]

    def _put_in(self, db: "sqlite3.Connection", entry: Entry, now_us: int, keep_us: int) -> Put:
        key, event, order, together = entry.key, entry.event, entry.order, entry.together
        if db.execute("SELECT 1 FROM inbox WHERE key = ?", (key,)).fetchone():
            return Put.WAITING
        if event.replay_id is not None:
            self._state.reopen_in(db, key, now_us)
        claim = self._state.claim_in(db, key, now_us, keep_us)
        if claim is not Claim.NEW:
            return Put.BUSY if claim is Claim.BUSY else Put.DONE
        self._state.done_in(db, key, now_us + keep_us)
        verdict = None if order is None else order.verdict(self._state.version_in(db, order.key))
        if verdict is not None:
            return Put.STALE if verdict == STALE else Put.DONE
        resource = event.fields.get("resource")
        in_line = resource is not None and order is None and event.replay_id is None
        db.execute(
            "INSERT INTO inbox (scope, key, work, body, due_us, received_us, resource, together, in_line)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._scope,
                key,
                _packed(event),
                event.body,
                now_us + (together.wait_us if together else 0),
                event.received_at_us,
                "" if resource is None else str(resource),
                together.name if together else "",
                in_line,
            ),
        )
        if together is not None:
            self._hurry_full(db, together, now_us)
        return Put.STORED

    def _hurry_full(self, db: "sqlite3.Connection", together: Together, now_us: int) -> None:
        """A batch that is full is due at once."""
        waiting = (
            "SELECT id FROM inbox WHERE scope = ? AND together = ? AND owner = '' AND attempts = 0"
            " AND due_us > ? ORDER BY due_us, id LIMIT ?"
        )
        ids = db.execute(waiting, (self._scope, together.name, now_us, together.size)).fetchall()
        if len(ids) >= together.size:
            db.executemany("UPDATE inbox SET due_us = ? WHERE id = ?", [(now_us, one[0]) for one in ids])

    def take(self, owner: str = "0.0") -> Optional[Work]:
        """The event that is due and has waited longest, its attempt counted; None when there is none.

        owner: in whose hands it is until it is settled; meanwhile no other event of its resource is given
        out. Counted before it runs: an event that kills the process must not be tried for ever.
        """
        query = f"{_SELECT_FREE} AND due_us <= :now ORDER BY due_us, id LIMIT 1"
        given = {"scope": self._scope, "own": "", "now": self._now_us()}
        with self._state.reading() as db:
            if db.execute(query, given).fetchone() is None:
                return None
        with self._state.transaction() as db:
            return next(iter(self._taken(db, db.execute(query, given).fetchall(), owner)), None)

    def take_more(self, work: Work, together: Together, last_attempt: int) -> List[Work]:
        """What goes with `work` in one batch, in the order it came; the last attempt is made alone."""
        query = (
            f"{_SELECT_FREE} AND together = :name AND attempts + 1 < :last"
            " AND (attempts = 0 OR due_us <= :now) ORDER BY due_us, id LIMIT :most"
        )
        given = {
            "scope": self._scope,
            "own": work.owner,
            "name": together.name,
            "last": last_attempt,
            "now": self._now_us(),
            "most": together.size - 1,
        }
        with self._state.transaction() as db:
            return self._taken(db, db.execute(query, given).fetchall(), work.owner)

    def _taken(self, db: "sqlite3.Connection", rows: List[Any], owner: str) -> List[Work]:
        db.executemany(
            "UPDATE inbox SET attempts = attempts + 1, owner = ? WHERE id = ?",
            [(owner, row[0]) for row in rows],
        )
        return [Work(row[0], row[1], self._event(row[2], row[3], row[4] + 1), owner) for row in rows]

    def _event(self, text: str, body: bytes, attempt: int) -> Event:
        kept: Dict[str, Any] = json.loads(text)
        headers: List[Any] = [tuple(pair) for pair in kept.pop("headers")]
        return Event(data=self._data_of(body), body=body, headers=headers, attempt=attempt, **kept)

    def free(self, owner: str, *, tried: bool = True) -> None:
        """Takes everything out of the hands of this owner, or of all of a slot, as `3.`: they are gone.

        tried: False where no handler was called, so that no attempt is counted.
        """
        with self._state.transaction() as db:
            db.execute(
                "UPDATE inbox SET owner = '', attempts = attempts - ? WHERE scope = ? AND owner <> ''"
                " AND owner GLOB ?",
                (int(not tried), self._scope, f"{owner}*" if owner.endswith(".") else owner),
            )

    def slots(self) -> List[int]:
        """The slots of the owners that have something in hand."""
        query = "SELECT DISTINCT owner FROM inbox WHERE scope = ? AND owner <> ''"
        with self._state.reading() as db:
            rows = db.execute(query, (self._scope,)).fetchall()
        return sorted({int(row[0].partition(".")[0]) for row in rows})

    def wait_s(self) -> Optional[float]:
        """Seconds until the next event can be had, 0 when one can; None when there is none to wait for."""
        query = f"{_SELECT_FREE} ORDER BY due_us LIMIT 1"
        with self._state.reading() as db:
            row = db.execute(query, {"scope": self._scope, "own": ""}).fetchone()
        return None if row is None else max(0.0, (row[5] - self._now_us()) / 1e6)

    def forgive_clock(self) -> None:
        """Makes due at once what came in the future: the clock was set back since, and would keep it waiting
        for as long as that was."""
        given = {"scope": self._scope, "now": self._now_us()}
        with self._state.reading() as db:
            query = "SELECT 1 FROM inbox WHERE scope = :scope AND received_us > :now LIMIT 1"
            if db.execute(query, given).fetchone() is None:
                return
        with self._state.transaction() as db:
            db.execute(
                "UPDATE inbox SET due_us = min(due_us, :now), received_us = :now"
                " WHERE scope = :scope AND received_us > :now",
                given,
            )

    def finish(
        self, work: Work, keep_until_us: int, order: Optional[Order] = None, *, handed_over: bool = False
    ) -> None:
        """It was processed, or handed over to somebody who will: out of the inbox, its copies are duplicates
        until `keep_until_us`, and what is older in its order is stale."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (work.id,))
            self._state.done_in(db, work.key, keep_until_us, handed_over=handed_over)
            if order is not None:
                self._state.advance_in(db, order.key, order.rank, self._now_us())

    def postpone(self, work: Work, wait_s: float) -> None:
        """It failed and will be tried again."""
        self._due_in(work, wait_s, uncounted=0)

    def defer(self, work: Work, wait_s: float) -> None:
        """It could not be tried yet: due again later, and no attempt is counted."""
        self._due_in(work, wait_s, uncounted=1)

    def put_back(self, work: Work) -> None:
        """It was not tried: first in line again, and no attempt is counted."""
        with self._state.transaction() as db:
            db.execute("UPDATE inbox SET attempts = attempts - 1, owner = '' WHERE id = ?", (work.id,))

    def _due_in(self, work: Work, wait_s: float, *, uncounted: int) -> None:
        due_us = self._now_us() + int(wait_s * 1e6)
        with self._state.transaction() as db:
            db.execute(
                "UPDATE inbox SET attempts = attempts - ?, due_us = ?, owner = '' WHERE id = ?",
                (uncounted, due_us, work.id),
            )

    def give_up(self, work: Work) -> None:
        """It became a dead letter: out of the inbox, and free to be replayed."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (work.id,))
            self._state.undo_in(db, work.key, self._now_us())

    def depth(self) -> int:
        """Events that wait, those to be tried again included."""
        with self._state.reading() as db:
            return int(db.execute("SELECT count(*) FROM inbox WHERE scope = ?", (self._scope,)).fetchone()[0])

    def oldest_age_s(self) -> Optional[float]:
        """How long the oldest waiting event has been here; None when the inbox is empty."""
        with self._state.reading() as db:
            row = db.execute("SELECT min(received_us) FROM inbox WHERE scope = ?", (self._scope,)).fetchone()
        oldest = row[0]
        return None if oldest is None else max(0.0, (self._now_us() - oldest) / 1e6)


def _packed(event: Event) -> str:
    return json.dumps(
        {
            "id": event.id,
            "type": event.type,
            "headers": list(event.headers),
            "received_at_us": event.received_at_us,
            "replay_id": event.replay_id,
            "fields": dict(event.fields),
        }
    )
