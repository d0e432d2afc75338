"""What the file promises besides: to processes, forks, full disks, and to notes that change all the time."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hookvitals import SqliteState
from hookvitals.state import Claim, StateUnavailable
from hookvitals.state.schema import Schema
from hookvitals.state.shared_file import SharedFile

S = 1_000_000


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    state = SqliteState(str(tmp_path / "s.db"))
    state.claim("k", 0, S)
    state.change("n", lambda was: b"", 2**62)

    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == dict.fromkeys(
        ("s.db", "s.db-journal", "s.db-notes", "s.db-notes-wal", "s.db-notes-shm"), 0o600
    )
    state.close()


@pytest.mark.parametrize("path", ["missing/s.db", "."])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="state cannot be kept in"):
        SqliteState(str(tmp_path / path))


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, not yours " * 100)

    with pytest.raises(ValueError, match=r"notes\.txt"):
        SqliteState(str(path))
    assert path.read_text().startswith("my notes")


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    """A reader of the file keeps a COMMIT waiting; the next change must be able to begin."""
    path = str(tmp_path / "s.db")
    state = SqliteState(path)
    state.claim("k", 0, S)
    with state.reading() as db:
        db.execute("PRAGMA busy_timeout = 50")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM claim").fetchall()

    with pytest.raises(StateUnavailable):
        state.done("k", 100 * S)
    reader.execute("COMMIT")
    reader.close()

    assert state.claim("k", 2 * S, S) is Claim.NEW, "what could not be committed did not happen"
    state.done("k", 100 * S)
    assert state.claim("k", 3 * S, S) is Claim.DONE


def fill(state: SqliteState) -> None:
    for number in range(1000):
        state.claim(f"k{number}" * 100, 0, S)


def test_a_full_disk_is_an_error_now_and_none_later(tmp_path: Path) -> None:
    state = SqliteState(str(tmp_path / "s.db"))
    with state.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StateUnavailable, match="full"):
        fill(state)
    with state.reading() as db:
        db.execute("PRAGMA max_page_count = 100000")

    assert state.claim("after", 0, S) is Claim.NEW


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_fork_amid_transactions_of_other_threads_harms_neither_side(tmp_path: Path) -> None:
    told = run(
        """
        import os, sys, threading, time
        from hookvitals import SqliteState
        from hookvitals.state import StateUnavailable
        state = SqliteState(sys.argv[1])
        stop = threading.Event()
        claimed = []
        def take(key):
            while True:
                try:
                    return state.claim(key, 0, 10**12)
                except StateUnavailable:  # SQLite's locks are not fair: on a slow disk one may wait too long
                    pass
        def claim(own):
            number = 0
            while not stop.is_set():
                take(f"{own}-{number}")
                number += 1
                time.sleep(0.001)
            claimed.append(number)
        threads = [threading.Thread(target=claim, args=(own,), daemon=True) for own in range(2)]
        [thread.start() for thread in threads]
        def fork(own):
            for number in range(4):
                pid = os.fork()
                if pid == 0:
                    for one in range(3):
                        take(f"child-{own}-{number}-{one}")
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
        forking = [threading.Thread(target=fork, args=(own,), daemon=True) for own in range(2)]
        [thread.start() for thread in forking]
        [thread.join() for thread in forking]
        stop.set()
        [thread.join() for thread in threads]
        print(sum(claimed) + 24)
        """,
        str(tmp_path / "s.db"),
    )

    db = sqlite3.connect(tmp_path / "s.db")
    assert db.execute("SELECT count(*) FROM claim").fetchone()[0] == int(told)
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


def test_an_orphaned_child_does_not_keep_the_inbox_from_the_next_process(tmp_path: Path) -> None:
    """The parent works the inbox, forks, and is killed: its lock must die with it."""
    program = """
        import os, sys, time, threading
        from hookvitals import Event, Receiver
        receiver = Receiver("acme", endpoint="orders", secrets=["k"], system="hmac",
                            state_path=sys.argv[1], inbox=True)
        receiver.on("*")(lambda event: open(sys.argv[2], "a").write("handled"))
        receiver.start()
        event = Event("evt_" + sys.argv[3], "t", {}, b"{}", [], 0)
        receiver.inbox.put(event.id, event, keep_us=10**12)
        deadline = time.monotonic() + 10
        while receiver.inbox.depth() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert receiver.inbox.depth() == 0
        if sys.argv[3] == "1":
            child = os.fork()
            if child == 0:
                os.close(0), os.close(1), os.close(2)
                time.sleep(30)
                os._exit(0)
            print(child, flush=True)
            os.kill(os.getpid(), 9)
        """
    arguments = [str(tmp_path / "s.db"), str(tmp_path / "handled")]
    first = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments, "1"],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    orphan = int(first.stdout)
    try:
        run(program, *arguments, "2")
    finally:
        os.kill(orphan, 9)

    assert (tmp_path / "handled").read_text() == "handledhandled"


@pytest.mark.faults
def test_a_note_outlives_the_kill_of_its_process(tmp_path: Path) -> None:
    program = """
        import os, sys
        from hookvitals import SqliteState
        state = SqliteState(sys.argv[1])
        for _ in range(100):
            state.change("count", lambda was: b"%d" % (int(was or b"0") + 1), 2**62)
        os.kill(os.getpid(), 9)
        """
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "s.db")]
        assert subprocess.run(command, timeout=40, check=False).returncode == -9

    state = SqliteState(str(tmp_path / "s.db"))
    assert state.change("count", lambda was: was or b"", 2**62) == b"300"
    state.close()


@pytest.mark.faults
@pytest.mark.parametrize("damaged", ["header", "pages", "log"])
def test_notes_that_a_power_cut_damaged_are_made_anew_and_claims_are_left_alone(
    tmp_path: Path, damaged: str
) -> None:
    state = SqliteState(str(tmp_path / "s.db"))
    state.claim("k", 0, S)
    for number in range(200):
        state.change(f"note {number}" * 20, lambda was: b"value", 2**62)
    state.close()
    notes = tmp_path / "s.db-notes"
    if damaged == "log":
        (tmp_path / "s.db-notes-wal").write_bytes(os.urandom(100_000))
    else:
        size, begin = notes.stat().st_size, 0 if damaged == "header" else 4096
        with notes.open("r+b") as file:
            file.seek(begin)
            file.write(os.urandom(size - begin))

    state = SqliteState(str(tmp_path / "s.db"))

    assert state.change("n", lambda was: b"%r then" % was, 2**62) == b"None then"
    assert state.claim("k", 0, S) is Claim.BUSY
    state.close()


def test_a_note_waits_for_no_claim_that_is_being_synced(tmp_path: Path) -> None:
    state = SqliteState(str(tmp_path / "s.db"))

    with state.transaction():
        assert state.change("n", lambda was: b"value", 2**62) == b"value"
    state.close()


def test_no_other_lock_on_the_file_ends_when_it_is_opened_a_second_time(tmp_path: Path) -> None:
    """POSIX ends a process's locks on a file when it closes any of its descriptors."""
    path = str(tmp_path / "s.db")
    state = SqliteState(path)
    program = """
        import sqlite3, sys
        db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            print("not locked")
        except sqlite3.OperationalError as exc:
            print(exc)
        """
    with state.transaction():
        SharedFile(path, Schema(1, ())).close()
        told = run(program, path)

    assert told == "database is locked\n"
    state.close()
