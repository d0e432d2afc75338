"""The supervisor with real child processes."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from monitor.clock import SystemClock
from monitor.supervisor.processes import Command, Supervisor
from tests.monitor.clocks import FakeClock

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class Running:
    """A supervisor in a thread of its own."""

    def __init__(self, *commands: Command) -> None:
        self.supervisor = Supervisor(commands, os.environ, SystemClock(), poll_s=0.01)
        self.thread = threading.Thread(target=self.supervisor.run)

    def __enter__(self) -> Supervisor:
        self.thread.start()
        return self.supervisor

    def __exit__(self, *_: object) -> None:
        self.supervisor.request_stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def test_children_run_until_a_stop_is_asked_for_and_then_end() -> None:
    with Running(Command("one", SLEEPER), Command("two", SLEEPER)) as supervisor:
        until(lambda: set(supervisor.pids()) == {"one", "two"}, "both run")
        pids = supervisor.pids()
    assert all(ended(pid) for pid in pids.values())


def test_child_that_dies_is_started_again_and_the_other_left_alone() -> None:
    with Running(Command("one", SLEEPER), Command("two", SLEEPER)) as supervisor:
        until(lambda: len(supervisor.pids()) == 2, "both run")
        before = supervisor.pids()
        os.kill(before["one"], signal.SIGKILL)
        until(lambda: supervisor.pids().get("one", before["one"]) != before["one"], "one runs again")
        assert supervisor.pids()["two"] == before["two"]


STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


def test_child_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = Command("one", [sys.executable, "-c", STUBBORN, str(ready)])
    supervisor = Supervisor([command], os.environ, SystemClock(), stop_s=0.2)
    supervisor.tend()
    pid = supervisor.pids()["one"]
    until(ready.exists, "the child ignores the signal")
    supervisor.request_stop()
    supervisor.run()
    assert ended(pid)


def test_child_that_dies_again_and_again_is_started_ever_more_slowly(tmp_path: Path) -> None:
    clock, count = FakeClock(), tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x')"
    supervisor = Supervisor([Command("one", [sys.executable, "-c", code])], os.environ, clock)
    starts = []
    for second in range(40):
        supervisor.tend()
        until(lambda: not supervisor.pids(), "it has ended")
        starts.append((second, len(count.read_text())))
        clock.move(timedelta(seconds=1))
    started_at = [second for (second, n), (_, before) in zip(starts[1:], starts, strict=False) if n > before]
    gaps = [later - earlier for earlier, later in itertools.pairwise(started_at)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 8


LATE = """
import pathlib, signal, sys, time
from monitor.signals import on_signals
listens, heard = map(pathlib.Path, sys.argv[1:])
while not listens.exists():
    time.sleep(0.01)
on_signals(heard.touch, signal.SIGHUP)
time.sleep(60)
"""


def test_what_is_passed_on_to_a_child_that_starts_is_heard_when_it_listens(tmp_path: Path) -> None:
    listens, heard = tmp_path / "listens", tmp_path / "heard"
    with Running(Command("one", [sys.executable, "-c", LATE, str(listens), str(heard)])) as supervisor:
        until(lambda: bool(supervisor.pids()), "it runs")
        before = supervisor.pids()
        supervisor.pass_on("one", signal.SIGHUP)
        listens.touch()
        until(heard.exists, "it has heard")
        assert supervisor.pids() == before


ORPHAN = """
import os, sys, time
from monitor.supervisor.orphan import end_with_parent
end_with_parent(os.getppid(), 0.05)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_child_ends_when_its_supervisor_was_killed() -> None:
    parent_code = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code, ORPHAN], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: ended(child), "the child has ended")
