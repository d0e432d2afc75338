"""Both stores into a directory while everything goes on: whole under its name, or not there.

Control is read first. What reaches it between the two snapshots came through the feed of the facts, and is
read out of that again where the backup is restored; the other way round it would be lost.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.errors import ConfigError, Conflict, HookvitalsError, StoreFull, Unavailable
from monitor.maintain.backup_files import (
    FORMAT,
    SECRET,
    FileEntry,
    Manifest,
    SecretEntry,
    StoreEntry,
    digest_of,
    write_manifest,
    write_rows,
    write_whole,
)
from monitor.store.portable import Dump, Row

Dumping = Callable[[Path], AbstractContextManager[Dump]]
"""Opens one store in a snapshot, given a directory for what that takes."""
Ticks = Callable[[int, int], None]
"""Told of rows done and, at the start of each store, of about how many there are to come."""

REPORT_EVERY = 500


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up. secret_id: names the sealing key. secret: its file, when it is to be copied."""

    facts: Dumping
    control: Dumping
    version: str
    secret_id: str | None = None
    secret: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What `backup` wrote."""

    manifest: Manifest
    bytes: int


def backup(source: Source, target: Path, now: datetime, ticks: Ticks = lambda done, more: None) -> Made:
    """Writes the backup and returns once it is on disk under its name.

    target: a new directory, or an empty one. Raises Conflict for any other, StoreFull when its disk is full,
    and whatever the stores raise; then nothing is left of it.
    """
    target = target.absolute()
    require_free(target)
    with _unfinished(target) as directory:
        entries = {}
        for name, dumping in (("control", source.control), ("facts", source.facts)):
            with dumping(directory) as dump:
                ticks(0, dump.estimate())
                entries[name] = _store(name, dump, directory, ticks)
        manifest = Manifest(
            format=FORMAT,
            hookvitals=source.version,
            made_at=now.isoformat(timespec="seconds"),
            secret=_secret(source, directory),
            **entries,
        )
        write_manifest(directory, manifest)
        size = sum(file.stat().st_size for file in directory.iterdir())
        _sync(directory)
        os.rename(directory, target)  # takes the place of an empty directory too
        _sync(target.parent)
    return Made(manifest, size)


def require_free(target: Path) -> None:
    """Raises Conflict unless the directory is new or empty."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise Conflict(f"{target} is no directory", "name a new one")
    if target.is_dir() and any(target.iterdir()):
        raise Conflict(f"{target} is not empty", "name a new directory; a backup never replaces another")


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A directory beside the target, for this user alone; gone at the end unless it was renamed."""
    directory = target.with_name(f".{target.name}.unfinished-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700)
        yield directory
    except OSError as exc:
        raise _trouble(exc, target) from exc
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _trouble(exc: OSError, target: Path) -> HookvitalsError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"no room left for the backup {target}", "free space, or name another disk")
    if exc.errno == errno.EBUSY:  # something is mounted there
        return Conflict(f"{target} cannot be replaced", "name a new directory below it")
    if isinstance(exc, PermissionError):
        return ConfigError(f"{target.parent} cannot be written by this user", "name another directory")
    return Unavailable(f"the backup {target} cannot be written: {exc}", "look at its disk")


def _store(name: str, dump: Dump, directory: Path, ticks: Ticks) -> StoreEntry:
    files: list[FileEntry] = []
    for table in dump.tables:
        rows = _counted(dump.rows(table), ticks)
        files.append(write_rows(directory / f"{name}.{table.name}.rows.gz", table, rows))
    return StoreEntry(dump.kind, dump.schema, dict(dump.about), tuple(files))


def _counted(rows: Iterator[Row], ticks: Ticks) -> Iterator[Row]:
    waiting = 0
    for row in rows:
        yield row
        waiting += 1
        if waiting == REPORT_EVERY:
            ticks(waiting, 0)
            waiting = 0
    ticks(waiting, 0)


def _secret(source: Source, directory: Path) -> SecretEntry | None:
    if source.secret_id is None:
        return None
    if source.secret is None:
        return SecretEntry(source.secret_id)
    write_whole(directory / SECRET, source.secret.read_bytes())
    return SecretEntry(source.secret_id, digest_of(directory / SECRET))


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def files_of(manifest: Manifest) -> Sequence[tuple[str, str]]:
    """(name, SHA-256) of every file but the manifest itself."""
    stores = (*manifest.control.files, *manifest.facts.files)
    found = [(entry.file, entry.sha256) for entry in stores]
    if manifest.secret is not None and manifest.secret.sha256 is not None:
        found.append((SECRET, manifest.secret.sha256))
    return found
