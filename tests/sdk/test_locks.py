"""A fork amid the work of other threads: no child of it waits for a lock that nobody can let go."""

import ast
import subprocess
import sys
from pathlib import Path

import hookvitals

ROOT = Path(__file__).parents[2]
OF_THEIR_OWN = {
    "disk.py": "made anew with the shipper",
    "keyring.py": "looks at its process",
    "locks.py": "",
    "shared_file.py": "held by the fork itself",
    "shipper.py": "made anew",
    "spool.py": "left to the parent",
    "worker.py": "made anew",
}
"""Files whose locks a child never meets held, and why."""

PROGRAM = """
import os, signal, sys, threading
from hookvitals import MemoryState
from hookvitals.locks import Lock

inside, go_on = threading.Event(), threading.Event()
state, lock = MemoryState(), Lock()

def hold(was):
    inside.set()
    go_on.wait(30)
    return b"1"

def both():
    with lock:
        state.change("note", hold, 10**18)

thread = threading.Thread(target=both)
thread.start()
assert inside.wait(10)
MINE = Lock()
with MINE:
    pid = os.fork()
if pid == 0:
    signal.alarm(10)
    with lock:
        state.claim("key", 0, 1)
    with lock:
        pass
    with MINE:
        os._exit(0)
status = os.waitpid(pid, 0)[1]
go_on.set()
thread.join(10)
with lock:
    sys.exit(status != 0)
"""


def test_what_a_thread_of_the_parent_holds_is_free_in_the_child() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM]

    assert subprocess.run(command, timeout=60, check=False, cwd=ROOT).returncode == 0


def test_whoever_has_a_plain_lock_has_thought_of_forks() -> None:
    files = sorted(Path(hookvitals.__file__).parent.rglob("*.py"))
    plain = {
        file.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("Lock", "RLock", "Condition")
    }

    assert plain == set(OF_THEIR_OWN)
