"""A durable inbox: events that were acknowledged before they are processed.

Putting an event in commits (synchronous=FULL) before the sender is answered, together with its claim, so a
crash at any moment loses nothing: the next start goes on with what is there. Runs no handler.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Dict, List, Optional

from hookvitals.event import Event
from hookvitals.ordering import STALE, Order
from hookvitals.state.base import Claim
from hookvitals.state.sqlite import SqliteState


class Put(Enum):
    """What became of an event that was put in."""

    STORED = "stored"
    WAITING = "waiting"  # a copy is here already
    DONE = "done"  # a copy was processed
    STALE = "stale"  # something newer was processed


@dataclass(frozen=True)
class Work:
    """One stored event; its `attempt` is the one about to be made."""

    id: int
    key: str
    event: Event


class Inbox:
    """The inbox of one receiver, in its state file. scope: what sets it apart from others in the file."""

    def __init__(self, state: SqliteState, scope: str, now_us: Callable[[], int]) -> None:
        self._state = state
        self._scope = scope
        self._now_us = now_us

    def put(self, key: str, event: Event, *, keep_us: int, order: Optional[Order] = None) -> Put:
        """Stores the event unless a copy was handled or waits, or a newer version was processed.

        One transaction with the claim: when it says STORED the event is on disk.
        """
        now_us = self._now_us()
        with self._state.transaction() as db:
            if db.execute("SELECT 1 FROM inbox WHERE key = ?", (key,)).fetchone():
                return Put.WAITING
            if self._state.claim_in(db, key, now_us, keep_us) is not Claim.NEW:
                return Put.DONE
            self._state.done_in(db, key, now_us + keep_us)
            verdict = None if order is None else order.verdict(self._state.version_in(db, order.key))
            if verdict is not None:
                return Put.STALE if verdict == STALE else Put.DONE
            db.execute(
                "INSERT INTO inbox (scope, key, work, body, due_us, received_us) VALUES (?, ?, ?, ?, ?, ?)",
                (self._scope, key, _packed(event), event.body, now_us, event.received_at_us),
            )
        return Put.STORED

    def take(self) -> Optional[Work]:
        """The event that is due and has waited longest, its attempt counted; None when there is none.

        Counted before it runs: an event that kills the process must not be tried for ever.
        """
        query = (
            "SELECT id, key, work, body, attempts FROM inbox WHERE scope = ? AND due_us <= ?"
            " ORDER BY due_us, id LIMIT 1"
        )
        with self._state.reading() as db:
            row = db.execute(query, (self._scope, self._now_us())).fetchone()
        if row is None:
            return None
        with self._state.transaction() as db:
            db.execute("UPDATE inbox SET attempts = attempts + 1 WHERE id = ?", (row[0],))
        return Work(row[0], row[1], _unpacked(row[2], row[3], row[4] + 1))

    def wait_s(self) -> Optional[float]:
        """Seconds until the next event is due, 0 when one is; None when the inbox is empty."""
        with self._state.reading() as db:
            row = db.execute("SELECT min(due_us) FROM inbox WHERE scope = ?", (self._scope,)).fetchone()
        return None if row[0] is None else max(0.0, (row[0] - self._now_us()) / 1e6)

    def finish(self, work: Work, keep_until_us: int, order: Optional[Order] = None) -> None:
        """It was processed: out of the inbox, its copies are duplicates until `keep_until_us`, and what is
        older in its order is stale."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (work.id,))
            self._state.done_in(db, work.key, keep_until_us)
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
            db.execute("UPDATE inbox SET attempts = attempts - 1 WHERE id = ?", (work.id,))

    def _due_in(self, work: Work, wait_s: float, *, uncounted: int) -> None:
        due_us = self._now_us() + int(wait_s * 1e6)
        with self._state.transaction() as db:
            db.execute(
                "UPDATE inbox SET attempts = attempts - ?, due_us = ? WHERE id = ?",
                (uncounted, due_us, work.id),
            )

    def give_up(self, work: Work) -> None:
        """It became a dead letter: out of the inbox, and free to be replayed."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (work.id,))
            self._state.release_in(db, work.key, self._now_us())

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


def _unpacked(text: str, body: bytes, attempt: int) -> Event:
    kept: Dict[str, Any] = json.loads(text)
    headers: List[Any] = [tuple(pair) for pair in kept.pop("headers")]
    return Event(data=_data(body), body=body, headers=headers, attempt=attempt, **kept)


def _data(body: bytes) -> Any:
    return json.loads(body)
