"""A collector in processes of its own, as in production, and what those cost."""

import hashlib
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import machine
from benchmarks.bench.requests import SECRET
from monitor.collector.keeper import OpenStore
from monitor.collector.keys import Key
from monitor.collector.serve import serve
from monitor.collector.settings import CollectorSettings
from monitor.store.facts.sqlite.file import LOCK_NAME

WORKERS_S = 2.0
"""Until surely every front worker runs: a connection stays with the one that took it."""
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds since the collector was ready, and the most memory that its processes held together."""

    front_s: float
    writer_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Collector:
    """One that runs. writer: the process that holds the store's lock; fronts: all others."""

    address: tuple[str, int]
    writer: Sequence[int]
    fronts: Sequence[int]
    _memory: machine.Memory
    _before: tuple[float, float]

    def costs(self) -> Costs:
        front_s, writer_s = (machine.cpu_s(pids) for pids in (self.fronts, self.writer))
        return Costs(
            front_s - self._before[0],
            writer_s - self._before[1],
            self._memory.peak_mib,
        )


@contextmanager
def collecting(directory: Path, open_store: OpenStore | None = None) -> Iterator[Collector]:
    """A collector over the store in `directory`, which is made already; ready when the block begins.

    open_store: a store that its front writes itself, in place of that file; there is no writer then.
    """
    told = _SPAWN.Queue()
    process = _SPAWN.Process(target=_serve, args=(directory, open_store, told))
    process.start()
    try:
        address = ("127.0.0.1", told.get(timeout=30))
        _wait_ready(address)
        time.sleep(WORKERS_S)
        below = machine.descendants(process.pid or 0)
        writer = [pid for pid in below if machine.holds(pid, LOCK_NAME)]
        fronts = [pid for pid in below if pid not in writer]
        with machine.Memory(below) as memory:
            yield Collector(address, writer, fronts, memory, (machine.cpu_s(fronts), machine.cpu_s(writer)))
    finally:
        process.terminate()
        process.join(30)


def _serve(directory: Path, open_store: OpenStore | None, told: "multiprocessing.Queue[int]") -> None:
    settings = CollectorSettings(directory, bytes(32), port=0)
    serve(settings, _keys, open_store=open_store, on_listening=lambda _, port: told.put(port))


def _keys() -> Sequence[Key]:
    return [Key("bench", hashlib.sha256(SECRET.encode()).hexdigest(), frozenset({"ingest"}))]


def _wait_ready(address: tuple[str, int]) -> None:
    """Returns once the collector says so. Gives up after 30 s."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: collector\r\nConnection: close\r\n\r\n")
                if b" 200 " in connection.recv(100):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the collector did not become ready")
