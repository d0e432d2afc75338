"""Two new stores out of a backup: everything looked at first, then both filled, then both put in place.

The facts get a new id, so that control reads their feed from its start: what it applied before changes
nothing, what it had not heard of yet is added.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from monitor.errors import Conflict, WrongSchema
from monitor.maintain.backup import REPORT_EVERY, Ticks, files_of
from monitor.maintain.backup_files import (
    SECRET,
    Damaged,
    FileEntry,
    Manifest,
    StoreEntry,
    read_manifest,
    read_rows,
    require_whole,
    write_whole,
)
from monitor.store.portable import Load, Row, Table


class ControlLoad(Load, Protocol):
    """Control that is being filled; `finish` is the last thing before its block ends."""

    def finish(self, at: datetime, by: str, detail: dict[str, Any]) -> Sequence[str]:
        """Puts right what would act on its own, and audits; ids of the replays that it paused."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is filled.

    require_empty: raises Conflict when a store holds anything. tables, control_schema: what this version
    carries and knows. secret: where the sealing key lies or would lie, None when it is a setting; secret_id:
    names the one there is.
    """

    facts: Callable[[int], AbstractContextManager[Load]]
    control: Callable[[], AbstractContextManager[ControlLoad]]
    require_empty: Callable[[], None]
    facts_tables: Sequence[Table]
    control_tables: Sequence[Table]
    control_schema: str
    secret: Path | None
    secret_id: str | None


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` did. readable: whether the key that sealed the captures is at hand; None without one."""

    manifest: Manifest
    paused_replays: Sequence[str]
    readable: bool | None


def restore(
    directory: Path, target: Target, now: datetime, by: str, ticks: Ticks = lambda done, more: None
) -> Restored:
    """Fills both stores from the backup. by: who asked, for the audit.

    Raises Damaged for a backup that is not as it was written, WrongSchema for one of another version,
    Conflict when a store or the key is there already. Then nothing was changed.
    """
    manifest = read_manifest(directory)
    _require_known(manifest, target)
    target.require_empty()
    readable = _require_secret(manifest, target)
    require_whole(directory, files_of(manifest))
    ticks(0, manifest.facts.rows + manifest.control.rows)
    with target.facts(int(manifest.facts.about["floor_us"])) as facts:
        _fill(facts, directory, manifest.facts, ticks)
        with target.control() as control:
            _fill(control, directory, manifest.control, ticks)
            paused = control.finish(now, by, {"made_at": manifest.made_at, "from": directory.name})
    _put_secret(manifest, directory, target)
    return Restored(manifest, paused, readable)


def _require_known(manifest: Manifest, target: Target) -> None:
    older = f"restore it with hookvitals {manifest.hookvitals}, then run `hookvitals db upgrade`"
    if manifest.control.schema != target.control_schema:
        raise WrongSchema(
            f"the backup's control store has schema {manifest.control.schema}, this version needs"
            f" {target.control_schema}",
            older,
        )
    for entry, tables in (
        (manifest.facts, target.facts_tables),
        (manifest.control, target.control_tables),
    ):
        if {Table(file.table, file.columns) for file in entry.files} != set(tables):
            raise WrongSchema("the backup has other tables than this version", older)


def _require_secret(manifest: Manifest, target: Target) -> bool | None:
    """Whether the captures can be opened afterwards. Raises Conflict rather than replace another key."""
    wanted = manifest.secret
    if wanted is None:
        return None
    if wanted.sha256 is None:
        return target.secret_id == wanted.id
    if target.secret_id not in (None, wanted.id):
        raise Conflict(
            f"the backup holds another sealing key than {target.secret or 'the setting secret_key'}",
            "move that away, or restore a backup without its secret.key",
        )
    return True


def _put_secret(manifest: Manifest, directory: Path, target: Target) -> None:
    carried = manifest.secret is not None and manifest.secret.sha256 is not None
    if carried and target.secret is not None and target.secret_id is None:
        target.secret.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(target.secret, (directory / SECRET).read_bytes())


def _fill(load: Load, directory: Path, entry: StoreEntry, ticks: Ticks) -> None:
    for file in entry.files:
        rows = _counted(read_rows(directory / file.file, file), ticks)
        taken = load.load(Table(file.table, file.columns), rows)
        _require_all(file, taken)


def _require_all(file: FileEntry, taken: int) -> None:
    if taken != file.rows:
        raise Damaged(f"{taken} of {file.rows} rows of {file.file} were taken in", "use another backup")


def _counted(rows: Iterable[Row], ticks: Ticks) -> Iterator[Row]:
    waiting = 0
    for row in rows:
        yield row
        waiting += 1
        if waiting == REPORT_EVERY:
            ticks(waiting, 0)
            waiting = 0
    ticks(waiting, 0)
