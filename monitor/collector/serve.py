"""`hookvitals collector`: a writer or a keeper, and the front's processes, kept running, stopped in order.

A process that dies is started again. Meanwhile the front answers 503 with Retry-After, or, if it is the
front that died, nobody answers: clients keep their records and send them again.
"""

import logging
import multiprocessing
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from monitor.clock import Clock, SystemClock
from monitor.collector import keeper, server, writer
from monitor.collector.counters import cleared
from monitor.collector.keeper import OpenStore
from monitor.collector.keys import LoadKeys
from monitor.collector.server import Prepare
from monitor.collector.settings import CollectorSettings
from monitor.errors import ConfigError, Conflict, Unavailable, WrongSchema
from monitor.signals import on_signals
from monitor.store.facts.sqlite.writer import SqliteFactWriter

log = logging.getLogger(__name__)

TAKEOVER_S = 5.0
"""How long processes of a collector that was killed may still hold its port and its store."""
STOP_S = 15.0
_FIRST_WAIT_S = 0.1
_STEADY_S = 10.0
_TICK_S = 0.2

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
T = TypeVar("T")


def nothing() -> None:
    """The Prepare that prepares nothing."""


def serve(
    settings: CollectorSettings,
    load_keys: LoadKeys,
    *,
    open_store: OpenStore | None = None,
    prepare: Prepare = nothing,
    on_listening: Callable[[str, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Runs the collector until SIGTERM or SIGINT, or until `stop` is set.

    open_store: a store that the front's processes write themselves; None for the SQLite file, which one
    process writes. load_keys, open_store, prepare: run in other processes, so they must be picklable
    (module-level functions, or partials of them). on_listening: told host and port once the port is
    reserved. stop: given by whoever calls this outside the main thread, where signals do not arrive. Raises,
    before anything is started: ConfigError for a port or a directory that cannot be used, Conflict while
    another process writes the store, WrongSchema.
    """
    stopping = stop or threading.Event()
    if stop is None:
        on_signals(stopping.set, signal.SIGTERM, signal.SIGINT)
    clock = SystemClock()
    reserved, port = _patiently(lambda: reserve(settings.host, settings.port), clock)
    with reserved:
        try:
            cleared(settings.counters_dir)
        except OSError as exc:
            raise ConfigError(f"{settings.counters_dir}: {exc.strerror}", "make data_dir writable") from exc
        if open_store is None:
            _patiently(lambda: SqliteFactWriter(settings.facts_path, clock).close(), clock)
            first = _Part("writer", writer.start, (settings, prepare))
        else:
            _require_version(open_store)
            first = _Part("keeper", keeper.start, (settings, open_store, prepare))
        if on_listening:
            on_listening(settings.host, port)
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        log.info("collector starts at http://%s:%d", shown, port)
        address = reserved.getsockname()[0]
        front = _Part("front", server.run, (settings, address, port, load_keys, open_store, prepare))
        _keep_running([first, front], stopping, clock)


def _require_version(open_store: OpenStore) -> None:
    """Raises WrongSchema. A server that is away is waited for: the front says so meanwhile."""
    try:
        open_store().close()
    except WrongSchema:
        raise
    except Unavailable as exc:
        log.error("the facts store is not reached yet: %s", exc)


def reserve(host: str, port: int) -> tuple[socket.socket, int]:
    """A socket that holds the port without listening, and its number; workers listen beside it.

    Raises ConfigError when something else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError as exc:
        held.close()
        raise ConfigError(
            f"{host} port {port} cannot be used: {exc.strerror}",
            "end the other process, or set HOOKVITALS_COLLECTOR_PORT to another port",
        ) from exc
    return held, int(held.getsockname()[1])


def _patiently(work: Callable[[], T], clock: Clock) -> T:
    """What `work` returns; tried again while a collector that was killed is still letting go."""
    deadline_s = clock.monotonic() + TAKEOVER_S
    while True:
        try:
            return work()
        except (ConfigError, Conflict):
            if clock.monotonic() >= deadline_s:
                raise
        threading.Event().wait(0.2)


class _Part:
    """One child process, and how to start it again."""

    def __init__(self, name: str, target: Callable[..., None], args: tuple[object, ...]) -> None:
        self.name = name
        self._target = target
        self._args = args
        self._started_s = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._due_s = 0.0
        self.process: SpawnProcess | None = None

    def tend(self, now_s: float) -> None:
        """Starts the process when it is due; notes its end."""
        if self.process is not None and not self.process.is_alive():
            self._wait_s = (
                _FIRST_WAIT_S if now_s - self._started_s > _STEADY_S else min(self._wait_s * 2, 5.0)
            )
            self._due_s = now_s + self._wait_s
            log.warning(
                "%s ended with exit code %s; starting it again in %g s",
                self.name,
                self.process.exitcode,
                self._wait_s,
            )
            self.process = None
        if self.process is None and now_s >= self._due_s:
            self.process = _SPAWN.Process(target=self._target, args=self._args, name=f"collector-{self.name}")
            self.process.start()
            self._started_s = now_s

    def end(self) -> None:
        """Asks the process to end, waits, and kills it when it does not."""
        if self.process is None:
            return
        self.process.terminate()
        self.process.join(STOP_S)
        if self.process.is_alive():
            log.warning("%s did not end within %g s and is killed", self.name, STOP_S)
            self.process.kill()
            self.process.join()


def _keep_running(parts: list[_Part], stopping: threading.Event, clock: Clock) -> None:
    """Tends the parts until told to stop; then ends the last one first: it may still need the other."""
    try:
        while not stopping.is_set():
            for part in parts:
                part.tend(clock.monotonic())
            wait([part.process.sentinel for part in parts if part.process is not None], _TICK_S)
    finally:
        for part in reversed(parts):
            part.end()
