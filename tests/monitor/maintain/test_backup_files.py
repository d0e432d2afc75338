"""The directory of a backup: what is written comes back, and what was changed is refused."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.maintain.backup_files import (
    DIGEST,
    FORMAT,
    MANIFEST,
    Damaged,
    Manifest,
    StoreEntry,
    read_manifest,
    read_rows,
    require_whole,
    write_manifest,
    write_rows,
)
from monitor.store.portable import Table

TABLE = Table("things", ("id", "body", "state"))
ROWS: list[tuple[Any, ...]] = [
    (number, os.urandom(40), {"depth": 1.5, "names": ["a", None, True]}) for number in range(5_000)
]


def manifest(**changes: Any) -> Manifest:
    store = StoreEntry("sqlite", "1", {"floor_us": 0}, ())
    made = Manifest(
        format=FORMAT,
        hookvitals="0.1.0",
        made_at="2026-11-18T12:00:00+00:00",
        facts=store,
        control=store,
        secret=None,
    )
    return msgspec.structs.replace(made, **changes)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    entry = write_rows(tmp_path / "things.rows.gz", TABLE, ROWS)

    assert [tuple(row) for row in read_rows(tmp_path / entry.file, entry)] == ROWS
    assert entry.rows == len(ROWS)
    require_whole(tmp_path, [(entry.file, entry.sha256)])


def test_few_large_rows_do_not_wait_for_each_other_in_memory(tmp_path: Path) -> None:
    taken = 0

    def rows() -> Any:
        nonlocal taken
        for number in range(8):
            taken = number
            yield (number, bytes(1 << 20), None)

    entry = write_rows(tmp_path / "things.rows.gz", TABLE, rows())
    found = read_rows(tmp_path / entry.file, entry)

    assert (taken, [row[0] for row in found]) == (7, list(range(8)))
    assert entry.bytes < 1 << 16


@pytest.mark.parametrize("place", [0, 40, -1])
def test_flipped_byte_is_found_before_anything_is_read(tmp_path: Path, place: int) -> None:
    entry = write_rows(tmp_path / "things.rows.gz", TABLE, ROWS)
    content = bytearray((tmp_path / entry.file).read_bytes())
    content[place] ^= 1
    (tmp_path / entry.file).write_bytes(content)

    with pytest.raises(Damaged, match="was changed since"):
        require_whole(tmp_path, [(entry.file, entry.sha256)])


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.999])
def test_rows_that_end_too_early_are_damaged(tmp_path: Path, kept: float) -> None:
    entry = write_rows(tmp_path / "things.rows.gz", TABLE, ROWS)
    content = (tmp_path / entry.file).read_bytes()
    (tmp_path / entry.file).write_bytes(content[: int(kept if kept >= 1 else len(content) * kept)])

    with pytest.raises(Damaged):
        list(read_rows(tmp_path / entry.file, entry))


def test_missing_file_is_damaged_and_named(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match=r"gone\.rows\.gz"):
        require_whole(tmp_path, [("gone.rows.gz", "0" * 64)])


def test_manifest_never_leads_out_of_its_directory(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="outside"):
        require_whole(tmp_path, [("../facts.db", "0" * 64)])


def test_manifest_comes_back_and_sha256sum_agrees(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest())

    assert read_manifest(tmp_path) == manifest()
    assert subprocess.run(["sha256sum", "--check", DIGEST], cwd=tmp_path, capture_output=True).returncode == 0


def test_changed_manifest_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest())
    said = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps({**said, "hookvitals": "9.9.9"}))

    with pytest.raises(Damaged, match="was changed since"):
        read_manifest(tmp_path)


def test_later_format_names_the_version_that_wrote_it(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest(format=FORMAT + 1, hookvitals="2.0.0"))

    with pytest.raises(Damaged, match=r"hookvitals 2\.0\.0"):
        read_manifest(tmp_path)


def test_directory_without_a_backup_says_so(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="holds no backup"):
        read_manifest(tmp_path)


def test_tables_differ_by_their_columns() -> None:
    assert replace(TABLE, columns=("id",)) != TABLE
