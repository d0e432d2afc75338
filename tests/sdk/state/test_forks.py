"""Processes that fork: connections stay with the parent, and each side has its own."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.sdk.state.places import Place
from tests.sdk.world import Clock

S = 1_000_000
ROOT = Path(__file__).parents[3]
shared = pytest.mark.parametrize("place", ["sqlite", "redis", "postgresql"], indirect=True)

COUNT = """
import os, sys, threading
from tests.sdk.state.places import Place
from tests.sdk.world import Clock

state = Place(*sys.argv[1:]).opened(Clock(0.0))

def count(times):
    for number in range(times):
        state.change("count", lambda was: b"%d" % (int(was or b"0") + 1), 10**12)
        state.claim(f"{os.getpid()}-{threading.get_ident()}-{number}", 0, 10**12)
"""


def started(place: Place, program: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", COUNT + textwrap.dedent(program), *place],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def counted(place: Place) -> int:
    state = place.opened(Clock(0.0))
    count = int(state.change("count", lambda was: was or b"0", 100 * S))
    state.close()
    return count


@shared
def test_forks_amid_the_work_of_other_threads_harm_neither_side(place: Place) -> None:
    process = started(
        place,
        """
        count(1)
        threads = [threading.Thread(target=count, args=(60,)) for _ in range(2)]
        [thread.start() for thread in threads]
        children = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                count(10)
                os._exit(0)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
        [thread.join() for thread in threads]
        count(1)
        """,
    )
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert counted(place) == 1 + 2 * 60 + 4 * 10 + 1


@shared
def test_a_child_goes_on_when_its_parent_is_gone_and_others_came(place: Place) -> None:
    """As under a server that puts itself into the background."""
    process = started(
        place,
        """
        count(5)
        if os.fork() == 0:
            count(5)
            print("begun", flush=True)
            sys.stdin.readline()
            count(5)
            print("done", flush=True)
        os._exit(0)
        """,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin, process.stdout:
        assert process.stdout.readline() == "begun\n"
        process.wait(20)
        assert counted(place) == 10
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"

    assert counted(place) == 15
