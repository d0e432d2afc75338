"""The process that merges the event index is killed, again and again, at whatever it is doing."""

import contextlib
import random
import sqlite3
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from monitor.store.facts.sqlite.event_runs import State
from monitor.store.facts.sqlite.file import create, open_for_writing
from tests.faults.forks import processes
from tests.monitor.store.facts.making import START_US
from tests.monitor.store.facts.sqlite.event_index import (
    HOUR_US,
    Oracle,
    entries,
    put,
    settle,
    states,
    stepped,
)

pytestmark = pytest.mark.faults

ENTRIES = 12_000
KILLS, MOST_KILLS = 8, 40
"""At least so many, and on until one met a merge: when that is depends on the machine."""


def merging(path: Path, first: int, told: Connection) -> None:
    """Adds run after run, a few steps of merging between them; tells the number of each run that is on disk,
    and again of the newest whenever a merge is under way."""
    with closing(open_for_writing(path)) as db:
        merge = None
        for run in range(first, first + 100):
            put(db, entries(ENTRIES, run))
            told.send(run)
            for _ in range(4):
                merge, _ = stepped(db, merge)
                if merge is not None:
                    told.send(run)


def runs_on_disk(db: sqlite3.Connection) -> int:
    """One of them may be there that nobody was told of."""
    newest_us: int = db.execute("SELECT max(last_us) FROM event_run").fetchone()[0]
    return (newest_us - START_US) // HOUR_US + 1


def told_until_its_end(ours: Connection) -> int:
    told = -1
    with contextlib.suppress(EOFError):
        while True:
            told = ours.recv()
    return told + 1


def test_each_event_on_disk_is_found_once_whenever_the_merging_is_killed(tmp_path: Path) -> None:
    path, dice, stored, unfinished = tmp_path / "facts.db", random.Random(7), 0, 0
    create(path)
    for kill in range(MOST_KILLS):
        if kill >= KILLS and unfinished:
            break
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=merging, args=(path, stored, theirs))
        process.start()
        theirs.close()
        for _ in range(dice.randrange(1, 16)):
            ours.recv()
        process.join(dice.random() * 0.05)  # somewhere among the steps that follow
        process.kill()
        process.join()
        with closing(open_for_writing(path)) as db:
            stored = max(told_until_its_end(ours), runs_on_disk(db))
            Oracle(*(entries(ENTRIES, run) for run in range(stored))).assert_found(db)
            unfinished += State.BUILDING in states(db)

    assert unfinished, "no kill met a merge: make their times more spread"
    with closing(open_for_writing(path)) as db:
        settle(db)
        Oracle(*(entries(ENTRIES, run) for run in range(stored))).assert_found(db)
        assert set(states(db)) == {State.LIVE}
        assert db.execute("SELECT count(DISTINCT run) FROM event_block").fetchone()[0] == len(states(db))
