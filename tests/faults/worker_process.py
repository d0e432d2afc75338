"""A whole worker, as `hookvitals worker` runs it, that dies at a step of its notification path.

All of its jobs run in their threads, under its own lease, over the stores that its settings name. A step
comes before whatever another process could notice of the rules and the notifications: the begin of a
transaction that writes, its commit, each connection and each thing said to a service. Between two steps
nothing outside changes. The signal is a real one; the clock is the machine's, but for the time it began at.
"""

import faulthandler
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType

from sqlalchemy import Connection, Engine, event

from monitor.config import load_here, set_up_logs
from monitor.wiring.worker import Signals, run_worker
from monitor.worker.delivery import Delivery
from monitor.worker.evaluation import Evaluation
from tests.faults.forks import processes

SAID = {"socket.connect": "connect", "http.client.send": "post", "smtplib.send": "mail"}
"""What Python itself announces before it reaches a service, in a word."""
PATH = {Evaluation.run.__code__: "rules", Delivery.run.__code__: "notifications"}


class ClockFrom:
    """The machine's clocks, but that it was `at` when this one was made."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._made_s = time.monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._made_s)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Steps:
    """Writes each step into the file, which any process may read, and dies at the one that is named."""

    file: int
    at: str
    passed: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self, what: str) -> None:
        """what: a word for it; the job that does it, and how many were before it, make its name."""
        if not (job := _job()):
            return
        with self.lock:
            self.passed[f"{job} {what}"] += 1
            name = f"{job} {what} {self.passed[f'{job} {what}']}"
            if name == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(self.file, f"{name}\n".encode())

    def watch(self) -> None:
        for what in ("begin", "commit"):
            event.listen(Engine, what, partial(self._transaction, what), insert=True)
        sys.addaudithook(lambda name, _: self.step(SAID[name]) if name in SAID else None)

    def _transaction(self, what: str, tx: Connection) -> None:
        if tx.get_execution_options().get("hookvitals_write"):
            self.step(what)


def _job() -> str:
    """Which job of the notification path this thread is at; empty for every other."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if (job := PATH.get(frame.f_code)) is not None:
            return job
        frame = frame.f_back
    return ""


class Worker:
    """One that runs until it is ended, or dies at its step. Its steps and its log go into the folder.

    Any thread may have its own: `multiprocessing` keeps one list of them all, which bears one look at a time.
    """

    _looking = threading.Lock()

    def __init__(self, folder: Path, environment: Mapping[str, str], at: datetime, die_at: str = "") -> None:
        """Started, its clock beginning at `at`."""
        arguments = (folder, dict(environment), at, die_at)
        self._process = processes.Process(target=_run, args=arguments, daemon=True)
        with self._looking:
            self._process.start()

    def exit_code(self) -> int | None:
        """None while it runs; below 0 for the signal that ended it."""
        with self._looking:
            return self._process.exitcode

    def end(self, number: int = signal.SIGTERM) -> None:
        """Sends it the signal, if it runs."""
        if self.exit_code() is None and self._process.pid is not None:
            os.kill(self._process.pid, number)


def steps_in(folder: Path) -> list[str]:
    """The steps that the last worker over this folder has taken."""
    return (folder / "steps").read_text().splitlines()


def _run(folder: Path, environment: Mapping[str, str], at: datetime, die_at: str) -> None:
    os.environ.update(environment)
    steps = Steps(os.open(folder / "steps", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), die_at)
    steps.watch()
    loaded = load_here()
    with (folder / "worker.log").open("a") as log:
        set_up_logs(loaded.settings, "worker", log)
        faulthandler.enable(log)
        signals = Signals(threading.Event(), threading.Event())
        signal.signal(signal.SIGTERM, lambda *_: signals.stop.set())
        run_worker(loaded, ClockFrom(at), signals)
