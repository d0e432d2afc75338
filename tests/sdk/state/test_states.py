"""What every State promises, and what the file promises besides: to processes, forks and full disks."""

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookvitals import MemoryState, SqliteState
from hookvitals.state import Claim, State

S = 1_000_000


@pytest.fixture(params=["memory", "sqlite"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made: State = MemoryState() if request.param == "memory" else SqliteState(str(tmp_path / "s.db"))
    yield made
    made.close()


def test_the_first_to_ask_has_it_and_the_next_must_wait(state: State) -> None:
    assert state.claim("k", 0, 10 * S) is Claim.NEW
    assert state.claim("k", 9 * S, 10 * S) is Claim.BUSY
    assert state.claim("other", 9 * S, 10 * S) is Claim.NEW


def test_a_lease_that_ended_may_be_taken_over_and_counts_as_another_attempt(state: State) -> None:
    state.claim("k", 0, 10 * S)

    assert state.claim("k", 10 * S, 10 * S) is Claim.NEW
    assert state.attempts("k") == 2


def test_what_was_released_may_be_had_at_once(state: State) -> None:
    state.claim("k", 0, 10 * S)
    state.release("k", 1 * S)

    assert state.claim("k", 1 * S, 10 * S) is Claim.NEW
    assert state.attempts("k") == 2


def test_what_is_done_stays_done_until_it_is_forgotten(state: State) -> None:
    state.claim("k", 0, 10 * S)
    state.done("k", 100 * S)

    assert state.claim("k", 99 * S, 10 * S) is Claim.DONE
    assert state.claim("k", 101 * S, 10 * S) is Claim.NEW


def test_a_note_takes_its_next_value_from_its_last_however_many_change_it_at_once(state: State) -> None:
    assert state.change("n", lambda was: b"first" if was is None else b"other", 100 * S) == b"first"

    def more() -> None:
        for _ in range(50):
            state.change("count", lambda was: str(int(was or b"0") + 1).encode(), 100 * S)

    threads = [threading.Thread(target=more) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.change("count", lambda was: was or b"", 100 * S) == b"200"


def test_the_newest_version_is_kept_in_whatever_order_they_come(state: State) -> None:
    assert state.version("r") is None
    for version in (2.0, 9.0, 5.0):
        state.advance("r", version, 0)

    assert state.version("r") == 9.0
    assert state.version("q") is None


def test_what_has_expired_is_dropped_now_and_then_and_what_has_not_is_kept(state: State) -> None:
    day = 86_400 * S
    for key, until in (("old", 1 * S), ("kept", 30 * day)):
        state.claim(key, 0, 10 * S)
        state.done(key, until)
    state.claim("failing", 0, 10 * S)
    state.release("failing", 1 * S)

    for number in range(10_001):
        state.claim(f"k{number % 3}", 2 * day, 10 * S)

    assert state.attempts("old") == 0
    assert state.attempts("failing") == 1, "an unfinished one still counts its attempts"
    assert state.claim("kept", 2 * day, 10 * S) is Claim.DONE
    for number in range(10_001):
        state.claim(f"k{number % 3}", 9 * day, 10 * S)
    assert state.attempts("failing") == 0, "but not for ever"


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    SqliteState(str(tmp_path / "s.db")).close()

    assert (tmp_path / "s.db").stat().st_mode & 0o777 == 0o600


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

    with pytest.raises(sqlite3.OperationalError):
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

    with pytest.raises(sqlite3.OperationalError, match="full"):
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
        state = SqliteState(sys.argv[1])
        stop = threading.Event()
        claimed = []
        def claim(own):
            number = 0
            while not stop.is_set():
                state.claim(f"{own}-{number}", 0, 10**12)
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
                        state.claim(f"child-{own}-{number}-{one}", 0, 10**12)
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


def test_threads_share_one_state(state: State) -> None:
    taken: list[str] = []
    together = threading.Barrier(8)

    def claim() -> None:
        together.wait()
        for number in range(20):
            if state.claim(f"k{number}", 0, 10 * S) is Claim.NEW:
                taken.append(f"k{number}")

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(f"k{number}" for number in range(20))
