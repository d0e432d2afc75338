"""The writer process: one thread that takes every request there is, stores them in one transaction, answers.

It reads without ever waiting for a front, so a stalled one stalls nobody. Nothing is answered before it is
on disk. It ends when it is told to, or when the process that started it is gone.
"""

import contextlib
import logging
import multiprocessing
import os
import selectors
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from monitor.clock import SystemClock, to_us
from monitor.collector import frames
from monitor.collector.chores import Chores
from monitor.collector.counters import Counters
from monitor.collector.desk import Desk, Question
from monitor.collector.garbage import rarely_collect_garbage
from monitor.collector.settings import CollectorSettings
from monitor.errors import ConfigError, HookvitalsError, Unavailable
from monitor.memory import keep_free_memory
from monitor.store.facts.sqlite.writer import SqliteFactWriter

log = logging.getLogger(__name__)

ROWS_A_COMMIT = 10_000
_READ_BYTES = 1 << 20


def start(settings: CollectorSettings, prepare: Callable[[], None]) -> None:
    """`run` as the body of a process of its own; prepare: sets up its logging."""
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which ends its children in order
    prepare()
    try:
        run(settings)
    except HookvitalsError as exc:
        log.error("the writer cannot go on: %s", exc)
        raise SystemExit(1) from None


def run(settings: CollectorSettings) -> None:
    """Opens the store and serves the socket until SIGTERM, SIGINT or the end of the parent process.

    Raises Conflict when another process writes the store, WrongSchema when it must be upgraded.
    """
    clock = SystemClock()
    store = SqliteFactWriter(settings.facts_path, clock)
    counters = Counters(settings.counters_dir)
    desk = Desk(store, counters, lambda: to_us(clock.now()))
    try:
        with listening(settings.socket_path) as listener:
            server = WriterServer(listener, desk, Chores(store, settings, counters, clock))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: server.stop())
            keep_free_memory()
            rarely_collect_garbage()
            server.serve()
        store.fold()
    finally:
        store.close()


def listening(path: Path) -> socket.socket:
    """A listening socket at `path` that only this user can open; takes the place of a left-over one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise ConfigError(f"{path.parent} belongs to another user", "use a data directory of your own")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(128)
    listener.setblocking(False)
    return listener


class _Connection:
    """One front's thread: what it sent so far, and what it has not taken yet."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.incoming = frames.Frames()
        self.outgoing = bytearray()


class WriterServer:
    """The loop over sockets; its `desk` answers, its `chores` run between."""

    def __init__(self, listener: socket.socket, desk: Desk, chores: Chores) -> None:
        self._desk = desk
        self._chores = chores
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._waking, self._waker = socket.socketpair()
        self._selector.register(self._waking, selectors.EVENT_READ)
        parent = multiprocessing.parent_process()
        if parent is not None:
            self._selector.register(parent.sentinel, selectors.EVENT_READ)
        self._stopping = False

    def stop(self) -> None:
        """Makes `serve` end once the requests that have arrived are answered; safe in a signal handler."""
        self._stopping = True
        with contextlib.suppress(OSError):  # it has stopped already
            self._waker.send(b"x")

    def serve(self) -> None:
        """Answers until stopped."""
        self._chores.run_due()
        while not self._stopping:
            self._answer(self._arrived(self._chores.wait_s()))
            self._chores.run_due()
        self._answer(self._arrived(0))
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Connection):
                key.data.peer.close()
        self._selector.close()
        self._waking.close()
        self._waker.close()

    def _arrived(self, wait_s: float) -> list[tuple[_Connection, Question]]:
        """Requests that are whole now; waits at most `wait_s` for something to happen."""
        found: list[tuple[_Connection, Question]] = []
        for key, events in self._selector.select(wait_s):
            if key.fileobj is self._listener:
                self._accept()
            elif not isinstance(key.data, _Connection):
                self._stopping = True  # told to stop, or the parent process is gone
            else:
                if events & selectors.EVENT_WRITE:
                    self._send(key.data)
                if events & selectors.EVENT_READ:
                    found += self._received(key.data)
        return found

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except BlockingIOError:
            return
        peer.setblocking(False)
        self._selector.register(peer, selectors.EVENT_READ, _Connection(peer))

    def _received(self, connection: _Connection) -> list[tuple[_Connection, Question]]:
        found: list[tuple[_Connection, Question]] = []
        try:
            while True:
                data = connection.peer.recv(_READ_BYTES)
                if not data:
                    self._drop(connection)
                    return []
                found += [(connection, message) for message in connection.incoming.feed(data)]  # type: ignore[misc]
        except BlockingIOError:
            return found
        except (OSError, Unavailable):
            self._drop(connection)
            return []

    def _answer(self, asked: list[tuple[_Connection, Question]]) -> None:
        """Answers all of them, about ROWS_A_COMMIT rows a transaction."""
        while asked:
            rows, taken = 0, 0
            while taken < len(asked) and rows < ROWS_A_COMMIT:
                kind, content = asked[taken][1]
                rows += len(content[0]) if kind == frames.APPEND else 0
                taken += 1
            group, asked = asked[:taken], asked[taken:]
            answers = self._desk.answers([question for _, question in group])
            for (connection, _), answer in zip(group, answers, strict=True):
                connection.outgoing += answer
                self._send(connection)

    def _send(self, connection: _Connection) -> None:
        """Sends what the front takes now; the rest when it takes more."""
        try:
            while connection.outgoing:
                sent = connection.peer.send(connection.outgoing)
                del connection.outgoing[:sent]
            wanted = selectors.EVENT_READ
        except BlockingIOError:
            wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
        except OSError:
            self._drop(connection)
            return
        if self._selector.get_key(connection.peer).events != wanted:
            self._selector.modify(connection.peer, wanted, connection)

    def _drop(self, connection: _Connection) -> None:
        try:
            self._selector.unregister(connection.peer)
        except KeyError:
            return  # dropped already
        connection.peer.close()
