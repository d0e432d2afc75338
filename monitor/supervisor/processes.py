"""Child processes kept alive: started in order, restarted when one dies, stopped together.

It knows commands, not what they do. A child that dies again and again is restarted ever more slowly, never
given up: the others go on, and its error is in the log each time.
"""

import logging
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from monitor.clock import Clock

log = logging.getLogger("hookvitals.supervisor")

POLL_S = 0.2
STEADY_S = 30.0
"""A child that lived this long is restarted at once; a shorter life doubles the wait."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
STOP_S = 15.0
"""How long a child may take to end before it is killed."""


@dataclass(frozen=True, slots=True)
class Command:
    """A child: its name in logs, and what is run."""

    name: str
    argv: Sequence[str]


class _Child:
    """One command and the process that runs it now."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.started_s = 0.0
        self.wait_s = FIRST_WAIT_S
        self.due_s = 0.0

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps the commands running until told to stop."""

    def __init__(
        self,
        commands: Sequence[Command],
        environ: Mapping[str, str],
        clock: Clock,
        *,
        poll_s: float = POLL_S,
        stop_s: float = STOP_S,
        output: IO[bytes] | None = None,
    ) -> None:
        """output: where the children write; None leaves them this process's own standard streams."""
        self._children = [_Child(command) for command in commands]
        self._environ = environ
        self._clock = clock
        self._poll_s = poll_s
        self._stop_s = stop_s
        self._output = output
        self._stop = threading.Event()

    def pids(self) -> dict[str, int]:
        """The process id of each child that runs now, by name."""
        return {
            child.command.name: child.process.pid
            for child in self._children
            if child.process is not None and child.is_running()
        }

    def request_stop(self) -> None:
        """Makes `run` end; safe from a signal handler and from other threads."""
        self._stop.set()

    def pass_on(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to the child of this name, if it runs."""
        for child in self._children:
            if child.command.name == name and child.process is not None and child.is_running():
                child.process.send_signal(number)

    def run(self) -> None:
        """Starts the children and returns once a stop was asked for and all have ended."""
        try:
            while not self._stop.is_set():
                self.tend()
                self._stop.wait(self._poll_s)
        finally:
            self._end()

    def tend(self) -> None:
        """Starts what is not running and is due; notes what has died."""
        now_s = self._clock.monotonic()
        for child in self._children:
            if child.is_running():
                continue
            if child.process is not None:
                self._bury(child, now_s)
            if child.process is None and now_s >= child.due_s:
                self._start(child, now_s)

    def _start(self, child: _Child, now_s: float) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends the children
        # in order. SIGHUP is held until the child listens for it: before that it would end the child.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
        try:
            child.process = subprocess.Popen(
                child.command.argv,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        child.started_s = now_s
        log.info("%s started, pid %d", child.command.name, child.process.pid)

    def _bury(self, child: _Child, now_s: float) -> None:
        assert child.process is not None
        code = child.process.returncode
        if now_s - child.started_s >= STEADY_S:
            child.wait_s = FIRST_WAIT_S
        child.due_s = now_s + child.wait_s
        log.warning(
            "%s ended with %s; starting it again in %g s", child.command.name, _ending(code), child.wait_s
        )
        child.wait_s = min(child.wait_s * 2, LONGEST_WAIT_S)
        child.process = None

    def _end(self) -> None:
        """Ends the children, the last started first: whoever reads goes before whoever writes."""
        for child in reversed(self._children):
            if child.process is not None and child.is_running():
                child.process.terminate()
        deadline_s = self._clock.monotonic() + self._stop_s
        for child in reversed(self._children):
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.0, deadline_s - self._clock.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("%s did not end within %g s and is killed", child.command.name, self._stop_s)
                child.process.kill()
                child.process.wait()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
