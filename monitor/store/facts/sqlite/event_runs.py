"""The event index on SQLite: sorted runs of entries, a new one a fold, merged when many are of one size.

A lookup probes each live run once, so their number must stay small while an insert stays an append: runs are
merged like the levels of a log-structured tree, a bounded step a transaction. A merge writes a run that is
not yet live; its going live and the end of its inputs are one transaction: each snapshot has each entry once.
A merge that a crash or an error cuts short is forgotten: what it wrote is deleted, and it begins again.
Every function runs inside the caller's transaction.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from monitor.store.facts.sqlite.event_entries import (
    ENTRIES_A_BLOCK,
    ENTRY,
    Entries,
    blocks_of,
    merged,
    not_before,
    times_of,
    unpacked,
)

LARGEST = 4_000_000
"""Entries of a run that a merge makes at most: a run goes whole, once all its records are purged."""
RUNS_A_MERGE = 8
SMALLEST_TIER = 4_096
"""Entries below which all runs count as of one size."""
STEP_ENTRIES = 32_768
"""Entries that one step of a merge moves, about."""
STEP_BLOCKS = 500
"""Blocks of dead runs that one step deletes."""


class State(IntEnum):
    """On disk: never renumber."""

    BUILDING, LIVE, DEAD = range(3)


@dataclass(frozen=True, slots=True)
class Run:
    """A row of event_run. first_us, last_us: times of its oldest and its newest record."""

    run: int
    entries: int
    first_us: int
    last_us: int


@dataclass(slots=True)
class _Input:
    """One run of a merge: where reading goes on, and what was read and not yet written."""

    run: Run
    read: tuple[int, int] = (-1, 0)
    left: Entries = field(default_factory=lambda: np.empty(0, dtype=ENTRY))
    is_read: bool = False


def step(db: sqlite3.Connection, merge: "Merge | None", floor_us: int) -> tuple["Merge | None", bool]:
    """One bounded step of upkeep: the merge to go on with, and whether another step should follow.

    merge: what the step before returned, if it was committed. Goes on with the merge; else deletes what is
    dead; else begins the next merge.
    """
    if merge is not None:
        return (None if merge.step(db) else merge), True
    db.execute("UPDATE event_run SET state = ? WHERE state = ?", (State.DEAD, State.BUILDING))
    if _delete_dead(db):
        return None, True
    runs = runs_to_merge(live_runs(db), floor_us)
    return (Merge(db, runs, floor_us), True) if runs else (None, False)


def add_run(db: sqlite3.Connection, entries: Entries) -> None:
    """Makes these sorted entries a live run; nothing when there are none."""
    if len(entries):
        run = _make(db, State.LIVE, len(entries), *times_of(entries))
        _write(db, run, 0, entries)


def live_runs(db: sqlite3.Connection) -> list[Run]:
    """The runs that a lookup probes, the oldest first."""
    query = "SELECT run, entries, first_us, last_us FROM event_run WHERE state = ? ORDER BY run"
    return [Run(*row) for row in db.execute(query, (State.LIVE,))]


def runs_to_merge(runs: Sequence[Run], floor_us: int) -> Sequence[Run]:
    """Runs that are better one run: many of one tier, or one that is half below the floor; empty when none.

    runs: the live ones, oldest first.
    """
    for run in runs:
        if floor_us - run.first_us > run.last_us - floor_us:  # records come evenly, more or less
            return (run,)
    tiers: dict[int, list[Run]] = {}
    for run in runs:
        tiers.setdefault(_tier(run.entries), []).append(run)
    for _, alike in sorted(tiers.items()):
        if len(alike) >= RUNS_A_MERGE:
            sizes = np.cumsum([run.entries for run in alike[:RUNS_A_MERGE]])
            chosen = alike[: int((sizes <= LARGEST).sum())]
            if len(chosen) > 1:
                return chosen
    return ()


def drop_below(db: sqlite3.Connection, floor_us: int) -> None:
    """Ends the runs that hold nothing but purged records; their blocks go by `step`."""
    db.execute(
        "UPDATE event_run SET state = ? WHERE state = ? AND last_us < ?", (State.DEAD, State.LIVE, floor_us)
    )


def _delete_dead(db: sqlite3.Connection) -> bool:
    """Deletes blocks of dead runs, and the row of a run with its last block; False when no run is dead."""
    dead = db.execute("SELECT run FROM event_run WHERE state = ?", (State.DEAD,)).fetchall()
    left = STEP_BLOCKS
    for (run,) in dead:
        left -= db.execute(
            "DELETE FROM event_block WHERE run = ?1 AND (first_hash, block) IN"
            " (SELECT first_hash, block FROM event_block WHERE run = ?1 ORDER BY first_hash, block LIMIT ?2)",
            (run, left),
        ).rowcount
        if left <= 0:
            break
        db.execute("DELETE FROM event_run WHERE run = ?", (run,))
    return bool(dead)


class Merge:
    """Live runs on their way into one, without what was purged; good while none of its steps has failed."""

    def __init__(self, db: sqlite3.Connection, runs: Sequence[Run], floor_us: int) -> None:
        """Begins the run that will take the place of these."""
        self._inputs = [_Input(run) for run in runs]
        self._floor_us = floor_us
        self._size = sum(run.entries for run in runs)
        self._written = self._blocks = 0
        self._run = _make(
            db,
            State.BUILDING,
            0,
            max(floor_us, min(run.first_us for run in runs)),
            max(run.last_us for run in runs),
        )

    def step(self, db: sqlite3.Connection) -> bool:
        """Moves about STEP_ENTRIES entries; True once all are moved and the new run is live."""
        for source in self._inputs:
            self._read(db, source)
        open_ends = [int(source.left["hash"][-1]) for source in self._inputs if not source.is_read]
        # up to here no unread entry comes before one that was read
        bound = min(open_ends) if open_ends else (1 << 32)
        parts = []
        for source in self._inputs:
            cut = int(np.searchsorted(source.left["hash"], bound, side="right"))
            parts.append(source.left[:cut])
            source.left = source.left[cut:]
        ready = not_before(merged(parts), self._floor_us)
        self._blocks += _write(db, self._run, self._blocks, ready)
        self._written += len(ready)
        if open_ends:
            return False
        self._go_live(db)
        return True

    def _read(self, db: sqlite3.Connection, source: _Input) -> None:
        """Fills up what is read of one input to its share of a step."""
        share = STEP_ENTRIES * source.run.entries // self._size + 1
        wanted = -(-(share - len(source.left)) // ENTRIES_A_BLOCK)
        if source.is_read or wanted <= 0:
            return
        blocks = db.execute(
            "SELECT first_hash, block, entries FROM event_block"
            " WHERE run = ? AND (first_hash, block) > (?, ?) ORDER BY first_hash, block LIMIT ?",
            (source.run.run, *source.read, wanted),
        ).fetchall()
        if blocks:
            source.read = blocks[-1][:2]
            source.left = np.concatenate([source.left, unpacked(b"".join(block[2] for block in blocks))])
        source.is_read = len(blocks) < wanted

    def _go_live(self, db: sqlite3.Connection) -> None:
        db.execute(
            "UPDATE event_run SET state = ?, entries = ? WHERE run = ?",
            (State.LIVE if self._written else State.DEAD, self._written, self._run),
        )
        db.executemany(
            "UPDATE event_run SET state = ? WHERE run = ?",
            [(State.DEAD, source.run.run) for source in self._inputs],
        )


def _tier(entries: int) -> int:
    """Runs of one tier differ in size by less than RUNS_A_MERGE times."""
    tier = 0
    while entries >= SMALLEST_TIER * RUNS_A_MERGE**tier:
        tier += 1
    return tier


def _make(db: sqlite3.Connection, state: State, entries: int, first_us: int, last_us: int) -> int:
    run = db.execute(
        "INSERT INTO event_run (state, entries, first_us, last_us) VALUES (?, ?, ?, ?)",
        (state, entries, first_us, last_us),
    ).lastrowid
    assert run is not None
    return run


def _write(db: sqlite3.Connection, run: int, first_block: int, entries: Entries) -> int:
    """Appends blocks to a run; how many."""
    rows = [
        (run, first_hash, number, packed)
        for number, (first_hash, packed) in enumerate(blocks_of(entries), first_block)
    ]
    db.executemany("INSERT INTO event_block (run, first_hash, block, entries) VALUES (?, ?, ?, ?)", rows)
    return len(rows)
