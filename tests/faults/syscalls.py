"""What a traced writer asked of the kernel, and whether each of its answers left after the rows were on disk.

kill -9 proves nothing of this: what a dead process wrote and never synced is still in the kernel's memory. So
the order of the calls themselves is judged. The writer has one thread, which makes it simple: when an answer
leaves that says "accepted", then since the request arrived (1) something was written to the write-ahead log,
and (2) the log has been synced, successfully, after the last such write.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.collector import frames

TRACED = "recvfrom,sendto,sendmsg,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,close"
SHOWN_BYTES = 8192
"""Of what a call carries: an answer must be whole to be read."""
_CALL = re.compile(r"^(\w+)\((\d+)<(.*?)>(?:, (.*))?\) = (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One call on a file or socket. path: of the file, or the name of the socket; data: its first bytes."""

    name: str
    path: str
    fd: int
    result: int
    data: bytes


@dataclass(slots=True)
class Judged:
    """accepted: answers that say so, in all. too_early: what was wrong with those that left too early."""

    accepted: int
    too_early: list[str]
    syncs: int


def command(output: Path) -> list[str]:
    """What to put before a program to have its calls written to `output.<thread id>`."""
    return ["strace", "-ff", "-y", "-xx", "-s", str(SHOWN_BYTES), "-e", f"trace={TRACED}", "-o", str(output)]


def judged(output: Path, pid: int) -> Judged:
    """The answers of the traced writer, whose one thread has this id."""
    return judge(_calls(output.with_name(f"{output.name}.{pid}")))


def judge(calls: Iterator[Call]) -> Judged:
    """The answers among these calls of one thread, against the writes and syncs before them."""
    found = Judged(0, [], 0)
    asked: dict[int, int] = {}
    answers: dict[int, frames.Frames] = {}
    written = synced = 0
    for at, call in enumerate(calls, 1):
        if call.path.endswith("-wal") and call.result >= 0:
            if call.name in ("write", "writev", "pwrite64", "pwritev", "ftruncate"):
                written = at
            elif call.name in ("fsync", "fdatasync"):
                synced, found.syncs = at, found.syncs + 1
        elif not call.path.startswith("socket:"):
            continue
        elif call.name == "recvfrom" and call.result > 0:
            asked[call.fd] = at
        elif call.name in ("sendto", "sendmsg", "write", "writev"):
            assert call.result <= SHOWN_BYTES, call.result
            incoming = answers.setdefault(call.fd, frames.Frames())
            for answer in incoming.feed(call.data[: max(call.result, 0)]):
                if _accepted(answer):
                    found.accepted += 1
                    if not asked[call.fd] < written < synced:
                        found.too_early.append(
                            f"call {at}: request {asked[call.fd]}, last write {written}, last sync {synced}"
                        )
        elif call.name == "close":
            answers.pop(call.fd, None)
    return found


def _accepted(answer: tuple[object, ...]) -> int:
    """How many records an answer of the writer calls new: (DONE, (accepted, duplicates, …))."""
    kind, content = answer[0], answer[1]
    return int(content[0]) if kind == frames.DONE and isinstance(content, tuple) and len(content) == 4 else 0


def _calls(trace: Path) -> Iterator[Call]:
    for line in trace.read_text().splitlines():
        if found := _CALL.match(line):
            name, fd, path, rest, result = found.groups()
            text = _TEXT.search(rest or "")
            data = bytes.fromhex(text[1].replace("\\x", "")) if text else b""
            yield Call(name, _plain(path), int(fd), int(result), data)


def _plain(path: str) -> str:
    """The path as the kernel has it: with -xx strace writes it in hexadecimal, too."""
    return bytes.fromhex(path.replace("\\x", "")).decode() if path.startswith("\\x") else path
