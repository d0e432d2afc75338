"""The control store taken in from portable rows: whole or not at all.

What would act on its own the moment a worker starts is put right in the same transaction: the lease is free,
and a replay that was running is paused, because events it sent after the backup would be sent again.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, inspect, select, update

from monitor.dead_letters import ReplayState
from monitor.errors import Conflict
from monitor.store.control import Control
from monitor.store.control.dump import rows_at_once
from monitor.store.control.engine import Tx, open_engine, read, sqlite_path, write
from monitor.store.control.migrations import upgrade
from monitor.store.control.schema import lease, metadata, replay
from monitor.store.portable import Row, Table

PAUSED = "restored from a backup: look at what was sent since before you resume it"


def require_empty(url: str) -> None:
    """Raises Conflict when the store holds anything; one that is not there yet is empty."""
    path = sqlite_path(url)
    if path is not None and (not path.exists() or not path.stat().st_size):
        return
    engine = open_engine(url)
    try:
        with read(engine) as tx:
            _require_empty(tx, url)
    finally:
        engine.dispose()


@contextmanager
def loading(url: str) -> Iterator["ControlLoad"]:
    """A new control store, which stands at `url` once the block has ended without an error.

    Raises Conflict when the store there holds anything. On SQLite nothing may have it open.
    """
    require_empty(url)
    path = sqlite_path(url)
    if path is None:
        upgrade(url)
        with _filling(url) as load:
            yield load
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".restoring-", dir=path.parent) as folder:
        fresh = Path(folder) / path.name
        upgrade(f"sqlite:///{fresh.absolute()}")
        with _filling(f"sqlite:///{fresh.absolute()}") as load:
            yield load
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.replace(fresh, path)
        _sync(path.parent)


@contextmanager
def _filling(url: str) -> Iterator["ControlLoad"]:
    control = Control.open(url)
    with closing(control), write(control.engine) as tx:
        _require_empty(tx, url)
        yield ControlLoad(control, tx)


class ControlLoad:
    """A Load."""

    def __init__(self, control: Control, tx: Tx) -> None:
        self._control = control
        self._tx = tx

    def load(self, table: Table, rows: Iterable[Row]) -> int:
        stored, taken, source = metadata.tables[table.name], 0, iter(rows)
        while some := [
            dict(zip(table.columns, row, strict=True)) for row in islice(source, rows_at_once(table))
        ]:
            self._tx.execute(insert(stored), some)
            taken += len(some)
        return taken

    def finish(self, at: datetime, by: str, detail: dict[str, Any]) -> list[str]:
        """Frees the lease, pauses replays, writes the restore into the audit; ids of the paused replays."""
        tx = self._tx
        tx.execute(update(lease).values(owner=""))
        running = replay.c.state == ReplayState.RUNNING.value
        paused: list[str] = list(tx.scalars(select(replay.c.id).where(running)))
        tx.execute(update(replay).where(running).values(state=ReplayState.PAUSED.value, state_reason=PAUSED))
        self._control.audit.append(
            tx, at, by, "admin", "cli", "backup.restore", "backup", {**detail, "paused_replays": paused}
        )
        return paused


def _require_empty(tx: Tx, url: str) -> None:
    there = set(inspect(tx).get_table_names())
    for table in metadata.sorted_tables:
        if table.name in there and tx.execute(select(table).limit(1)).first() is not None:
            place = sqlite_path(url) or "in PostgreSQL"
            raise Conflict(
                f"the control store {place} is not empty (it has rows in {table.name})",
                "restore into new stores: set data_dir to a new directory, or name a new database",
            )


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
