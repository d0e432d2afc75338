"""The front's processes: granian workers that share one port. Each ends when the process above it is gone."""

import atexit
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from monitor.clock import SystemClock
from monitor.collector.app import create_app
from monitor.collector.counters import Counters
from monitor.collector.front import front
from monitor.collector.garbage import rarely_collect_garbage
from monitor.collector.keeper import OpenStore
from monitor.collector.keys import LoadKeys
from monitor.collector.link import Link, Writer
from monitor.collector.pens import Pens
from monitor.collector.settings import CollectorSettings
from monitor.memory import give_memory_back

Prepare = Callable[[], None]
"""Run first in every process, to set up its logging; picklable, like every argument here."""

_TURNED_AWAY = 4
"""Threads left to say that too much comes in, or how the collector fares, while all others work or wait."""
_BUFFER_BYTES = 64 * 1024
"""Of a request that waits, as much as this is read ahead; the rest stays in the sockets."""
_ENDS = (signal.SIGTERM, signal.SIGINT)
_LAST_ANSWERS_S = 5.0
_POLL_S = 0.1
"""Also how long the port of a collector that was killed stays taken."""


def run(
    settings: CollectorSettings,
    address: str,
    port: int,
    load_keys: LoadKeys,
    open_store: OpenStore | None,
    prepare: Prepare,
) -> None:
    """Serves HTTP until SIGTERM, or until the process that started this one is gone.

    address: an IP address; names are resolved by then. open_store: written by these processes themselves;
    None for a writer process that listens at the settings' socket.
    """
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which ends its children in order
    _end_when_told()
    prepare()
    _end_with_parent()
    # forked from here, a worker has loaded everything already: a fresh interpreter takes a second longer
    multiprocessing.set_start_method("fork", force=True)
    server = Granian(
        "monitor.collector.app",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads + settings.waiting + _TURNED_AWAY,
        backlog=1024,
        http1_settings=HTTP1Settings(max_buffer_size=_BUFFER_BYTES),
        log_enabled=False,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=10,
    )
    server.serve(target_loader=partial(_load, settings, load_keys, open_store, prepare), wrap_loader=False)


def _load(
    settings: CollectorSettings, load_keys: LoadKeys, open_store: OpenStore | None, prepare: Prepare
) -> Any:
    """The WSGI app of a granian worker; runs inside it."""
    _end_when_told()
    prepare()
    atexit.register(_leave)
    _end_with_parent()
    clock = SystemClock()
    counters = Counters(settings.counters_dir)
    writer: Writer = Link(settings.socket_path)
    if open_store is not None:
        writer = Pens(open_store, counters, clock, settings.name, pens=settings.pens)
    made = front(settings, load_keys, writer, counters, clock)
    made.keys.refresh_every(settings.keys_refresh_s)
    app = create_app(made)
    give_memory_back()
    rarely_collect_garbage()
    return app


def _end_when_told() -> None:
    """From here on the first signal to end is granian's, or ends the process before that; others do nothing.

    Granian's workers have room for one such word that they have not acted upon: at the next they stand still
    for good, with the interpreter's lock. A worker is forked with the signals held, so it loses none.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    for number in _ENDS:
        signal.signal(number, signal.SIG_DFL)  # what came along would speak to the process above

    def listen() -> None:
        number = signal.sigwait(_ENDS)
        tell = signal.getsignal(number)
        if not callable(tell):
            os._exit(0)
        tell(number, None)

    threading.Thread(target=listen, name="end-when-told", daemon=True).start()


def _leave() -> None:
    """Ends the process before the interpreter does: granian's threads abort when it goes first."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _end_with_parent() -> None:
    """Ends this process soon after its parent is gone: nobody may hold the port for a collector that died."""
    parent = multiprocessing.parent_process()
    pid = os.getppid()

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == pid and (parent is None or parent.is_alive()):
            pause.wait(_POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)
        pause.wait(_LAST_ANSWERS_S)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
