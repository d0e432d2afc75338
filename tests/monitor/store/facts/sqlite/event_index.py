"""An event index without records: runs by the thousand entries, merged by hand, and what must be found."""

import sqlite3

import numpy as np

from monitor.store.facts.sqlite import event_runs
from monitor.store.facts.sqlite.event_entries import ENTRY, Entries
from monitor.store.facts.sqlite.event_runs import Merge, State
from monitor.store.facts.sqlite.events import ids_of_hash
from tests.monitor.store.facts.making import START_US

HOUR_US = 3_600_000_000
HOT = 0x0707_0707


def entries(count: int, run: int, hot: int = 0) -> Entries:
    """`count` entries of records made during hour `run`; hashes are few enough to repeat, `hot` are one."""
    dice = np.random.default_rng(run)
    found = np.zeros(count, dtype=ENTRY)
    found["hash"] = dice.integers(0, 2**32, count) // 2**12 * 2**12
    found["hash"][:hot] = HOT
    stamps_ms = (START_US + run * HOUR_US + np.arange(count) * (HOUR_US // count)) // 1000
    ids = [
        int(ms).to_bytes(6, "big") + b"\x70" + run.to_bytes(1, "big") + n.to_bytes(8, "big")
        for n, ms in enumerate(stamps_ms)
    ]
    found["record_id"] = np.frombuffer(b"".join(ids), dtype="V16")
    return np.sort(found, order="hash", kind="stable")


def put(db: sqlite3.Connection, *runs: Entries) -> None:
    db.execute("BEGIN IMMEDIATE")
    for run in runs:
        event_runs.add_run(db, run)
    db.execute("COMMIT")


def stepped(db: sqlite3.Connection, merge: Merge | None, floor_us: int = 0) -> tuple[Merge | None, bool]:
    db.execute("BEGIN IMMEDIATE")
    found = event_runs.step(db, merge, floor_us)
    db.execute("COMMIT")
    return found


def settle(db: sqlite3.Connection, floor_us: int = 0) -> int:
    """Steps until there is nothing left to do; how many it took."""
    merge, again, steps = *stepped(db, None, floor_us), 1
    while again:
        merge, again = stepped(db, merge, floor_us)
        steps += 1
    return steps


def states(db: sqlite3.Connection) -> list[State]:
    return [State(state) for (state,) in db.execute("SELECT state FROM event_run ORDER BY run")]


class Oracle:
    """What must be found, of a sample of hashes."""

    def __init__(self, *runs: Entries) -> None:
        every = np.concatenate(runs)
        self._ids: dict[int, list[bytes]] = {}
        for event_hash in {*every["hash"][:: max(1, len(every) // 40)].tolist(), HOT, 5}:
            found = every["record_id"][every["hash"] == event_hash]
            self._ids[event_hash] = sorted(one.tobytes() for one in found)

    def assert_found(self, db: sqlite3.Connection) -> None:
        for event_hash, ids in self._ids.items():
            assert sorted(ids_of_hash(db, event_hash)) == ids
