"""A durable inbox: events that were acknowledged before they were processed, and the one worker that does it.

Putting an event in commits (synchronous=FULL) before the sender is answered, together with its claim, so a
crash at any moment loses nothing: the next start goes on with what is there. One process at a time works an
inbox; it holds a lock that the system lets go when the process dies.
"""

import contextlib
import json
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

from hookvitals.event import Event
from hookvitals.state.base import Claim
from hookvitals.state.sqlite import SqliteState

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("hookvitals")

IDLE_S = 0.5


@dataclass(frozen=True)
class Work:
    """One stored event. attempts: how often it was tried before."""

    id: int
    key: str
    event: Event
    attempts: int


class Inbox:
    """The inbox in a receiver's state file."""

    def __init__(
        self, state: SqliteState, now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._state = state
        self._now_us = now_us

    def put(
        self,
        key: str,
        event: Event,
        *,
        lease_us: int,
        resource: Optional[str] = None,
        version: Optional[float] = None,
    ) -> Claim:
        """Claims the event and stores it, in one transaction; NEW when it was stored and is on disk."""
        now_us = self._now_us()
        with self._state.transaction() as db:
            if db.execute("SELECT 1 FROM inbox WHERE key = ?", (key,)).fetchone():
                return Claim.DONE  # it waits here already: acknowledged once, processed once
            claim = self._state.claim_in(db, key, now_us, lease_us)
            if claim is not Claim.NEW:
                return claim
            db.execute(
                "INSERT INTO inbox (key, work, body, due_us, received_us) VALUES (?, ?, ?, ?, ?)",
                (key, _packed(event), event.body, now_us, event.received_at_us),
            )
            self._state.done_in(db, key, now_us + lease_us)
            if resource is not None and version is not None:
                self._state.advance_in(db, resource, version, now_us)
        return Claim.NEW

    def due(self) -> Optional[Work]:
        """The event that is due and has waited longest; None when there is none."""
        with self._state.transaction() as db:
            row = db.execute(
                "SELECT id, key, work, body, attempts FROM inbox WHERE due_us <= ?"
                " ORDER BY due_us, id LIMIT 1",
                (self._now_us(),),
            ).fetchone()
        if row is None:
            return None
        return Work(row[0], row[1], _unpacked(row[2], row[3], row[4] + 1), row[4])

    def finish(self, work: Work, keep_until_us: int) -> None:
        """It was processed: out of the inbox, and its copies are duplicates until `keep_until_us`."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (work.id,))
            self._state.done_in(db, work.key, keep_until_us)

    def postpone(self, work: Work, wait_s: float) -> None:
        """It failed and will be tried again."""
        with self._state.transaction() as db:
            db.execute(
                "UPDATE inbox SET attempts = attempts + 1, due_us = ? WHERE id = ?",
                (self._now_us() + int(wait_s * 1e6), work.id),
            )

    def give_up(self, work: Work) -> None:
        """It became a dead letter: out of the inbox, and free to be replayed."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (work.id,))
            self._state.release_in(db, work.key, self._now_us())

    def depth(self) -> int:
        """Events that wait, those to be tried again included."""
        with self._state.transaction() as db:
            return int(db.execute("SELECT count(*) FROM inbox").fetchone()[0])

    def oldest_age_s(self) -> Optional[float]:
        """How long the oldest waiting event has been here; None when the inbox is empty."""
        with self._state.transaction() as db:
            oldest = db.execute("SELECT min(received_us) FROM inbox").fetchone()[0]
        return None if oldest is None else max(0.0, (self._now_us() - oldest) / 1e6)


class InboxWorker:
    """One thread that hands due events to `process`, one after the other, while this process has the lock."""

    def __init__(self, inbox: Inbox, lock_path: str, process: Callable[[Work], None]) -> None:
        self._inbox = inbox
        self._lock_path = lock_path
        self._process = process
        self._wake = threading.Event()
        self._closing = False
        self._pid = 0
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        """Starts the thread if this process has none yet; also right after a fork."""
        if self._pid != os.getpid() or self._thread is None:
            self._pid = os.getpid()
            self._closing = False
            self._wake = threading.Event()
            self._thread = threading.Thread(target=self._run, name="hookvitals-inbox", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Says that there is something to do."""
        self.start()
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends after the event in hand."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        with contextlib.ExitStack() as held:
            lock = held.enter_context(open(self._lock_path, "a+b"))
            while not self._closing and not _locked(lock.fileno()):
                self._pause()
            while not self._closing:
                try:
                    work = self._inbox.due()
                    if work is not None:
                        self._process(work)
                        continue
                except Exception:  # the file may be locked or full for a while: the event is still in it
                    log.exception("hookvitals: the inbox could not be worked; trying again")
                self._pause()

    def _pause(self) -> None:
        self._wake.wait(IDLE_S)
        self._wake.clear()


def _locked(descriptor: int) -> bool:
    if sys.platform == "win32":  # no such lock there: one process an inbox is the rule
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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
