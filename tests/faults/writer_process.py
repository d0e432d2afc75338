"""The collector's writer process by itself: `python -m tests.faults.writer_process DIRECTORY [SYNCHRONOUS]`.

Without the last word it is the product's own `run`. With it, the same parts over a store whose connection has
been given that `PRAGMA synchronous`: for tests that must fail when a commit does not wait for the disk.
"""

import signal
import sys
from pathlib import Path

from monitor.clock import SystemClock, to_us
from monitor.collector.chores import Chores
from monitor.collector.counters import Counters, cleared
from monitor.collector.desk import Desk
from monitor.collector.settings import CollectorSettings
from monitor.collector.writer import WriterServer, listening, run
from monitor.store.facts.sqlite.writer import SqliteFactWriter


def settings_of(directory: Path) -> CollectorSettings:
    return CollectorSettings(directory, bytes(32), workers=1)


def run_with(settings: CollectorSettings, synchronous: str) -> None:
    """`run`, but for the pragma."""
    clock = SystemClock()
    store = SqliteFactWriter(settings.facts_path, clock)
    store._db.execute(f"PRAGMA synchronous={synchronous}")
    counters = Counters(settings.counters_dir)
    desk = Desk(store, counters, lambda: to_us(clock.now()))
    with listening(settings.socket_path) as listener:
        server = WriterServer(listener, desk, Chores(store, settings, counters, clock))
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.serve()
    store.close()


def main() -> None:
    settings = settings_of(Path(sys.argv[1]))
    cleared(settings.counters_dir)
    if len(sys.argv) > 2:
        run_with(settings, sys.argv[2])
    else:
        run(settings)


if __name__ == "__main__":
    main()
