"""What the machine does meanwhile, from /proc: the time other programs take, the time and memory of ours.

Linux only. Nothing is started or changed.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_LOOK_S = 1.0


@dataclass(slots=True)
class Watched:
    """Filled once the watched block has ended."""

    others: float = 0.0
    """Share of all CPU time that other programs took, and the host below this machine: 0 to 1."""


@contextmanager
def watching() -> Iterator[Watched]:
    """Watches the machine while the block runs."""
    found = Watched()
    began_s, busy_s, ours_s = time.monotonic(), _busy_s(), _ours_s()
    yield found
    taken_s = (time.monotonic() - began_s) * (os.cpu_count() or 1)
    found.others = max(0.0, (_busy_s() - busy_s) - (_ours_s() - ours_s)) / taken_s


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds that these processes took so far, their ended children included."""
    return sum(_times_s(pid) for pid in pids)


class Memory:
    """What some processes hold in memory together, looked at each second while the block runs.

    It is the sum of their proportional set sizes: a page that they share counts once. peak_mib: the most
    that was seen.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self.peak_mib = 0.0
        self._pids = pids
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Memory":
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_S):
            self.peak_mib = max(self.peak_mib, sum(map(_shared_kib, self._pids)) / 1024)


def descendants(pid: int) -> list[int]:
    """The processes below this one, at any depth."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def holds(pid: int, name: str) -> bool:
    """Whether the process has a file of this name open."""
    with suppress(OSError):
        return any(os.readlink(fd).endswith(f"/{name}") for fd in (_PROC / str(pid) / "fd").iterdir())
    return False


def _busy_s() -> float:
    ticks = [int(part) for part in (_PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = ticks
    return (user + nice + system + irq + softirq + steal) * _TICK_S


def _ours_s() -> float:
    return cpu_s([os.getpid(), *descendants(os.getpid())])


def _times_s(pid: int) -> float:
    with suppress(OSError):
        return sum(int(ticks) for ticks in _stat(pid)[11:15]) * _TICK_S
    return 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command, which may hold anything: state, ppid …"""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _shared_kib(pid: int) -> int:
    """The process's pages, each divided by how many processes map it."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
