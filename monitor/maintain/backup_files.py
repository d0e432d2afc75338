"""The directory of a backup: a manifest, and a file of rows for each table of the two stores.

    manifest.json          what it is of, and of each file its table, columns, rows, bytes and SHA-256
    manifest.json.sha256   the manifest's own digest, as `sha256sum -c` reads it
    facts.record.rows.gz   gzip of frames: a length of four bytes, big end first, then that many bytes of
                           MessagePack: an array of rows, each an array in the order of the columns.
                           A length of 0 ends the file
    secret.key             only where it was asked for

It knows no store, and nothing of what the rows mean.
"""

import gzip
import hashlib
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from monitor.errors import HookvitalsError
from monitor.store.portable import Row, Table

FORMAT = 1
MANIFEST, DIGEST = "manifest.json", "manifest.json.sha256"
SECRET = "secret.key"  # noqa: S105  # a file's name
LARGEST_FRAME = 1 << 30

_HEAD = struct.Struct(">I")
_GZIP = 31
_LEVEL = 1
"""Level 6 takes 1.5 times as long for 8 % less (500,000 records); captures are sealed and do not shrink."""
_FRAME_ROWS = 2_000
_FRAME_BYTES = 1 << 20
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[list[object]]).decode


class Damaged(HookvitalsError):
    """The backup is not what was written: a file is missing, cut short or changed."""

    code = "damaged_backup"


class FileEntry(msgspec.Struct, frozen=True):
    """One table's file."""

    table: str
    columns: tuple[str, ...]
    file: str
    rows: int
    bytes: int
    sha256: str


class StoreEntry(msgspec.Struct, frozen=True):
    """One store. about: its values, such as its id and floor; schema: of the database it came from."""

    kind: str
    schema: str
    about: dict[str, str | int]
    files: tuple[FileEntry, ...]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


class SecretEntry(msgspec.Struct, frozen=True):
    """id: names the key that seals captures, and tells nothing of it. sha256: of the file, if it is here."""

    id: str
    sha256: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `made_at` is an RFC 3339 time."""

    format: int
    hookvitals: str
    made_at: str
    facts: StoreEntry
    control: StoreEntry
    secret: SecretEntry | None


def write_rows(file: Path, table: Table, rows: Iterable[Row]) -> FileEntry:
    """The table in a new file, on disk when this returns."""
    digest, packer = hashlib.sha256(), zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    count = size = 0
    with _new(file) as out:

        def put(content: bytes) -> None:
            nonlocal size
            digest.update(content)
            size += out.write(content)

        for frame in _frames(rows):
            packed = _encode(frame)
            put(packer.compress(_HEAD.pack(len(packed)) + packed))
            count += len(frame)
        put(packer.compress(_HEAD.pack(0)) + packer.flush())
        out.flush()
        os.fsync(out.fileno())
    return FileEntry(table.name, table.columns, file.name, count, size, digest.hexdigest())


def _frames(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows by the frame; a few large ones fill it as many small ones do."""
    frame: list[Row] = []
    held = 0
    for row in rows:
        frame.append(row)
        held += sum(len(value) for value in row if isinstance(value, bytes))
        if len(frame) == _FRAME_ROWS or held > _FRAME_BYTES:
            yield frame
            frame, held = [], 0
    if frame:
        yield frame


def read_rows(file: Path, entry: FileEntry) -> Iterator[Row]:
    """The rows of `write_rows`. Raises Damaged when they are not those that were written."""
    count = 0
    try:
        with gzip.open(file, "rb") as packed:
            while length := _HEAD.unpack(_read(packed, _HEAD.size))[0]:
                if length > LARGEST_FRAME:
                    raise Damaged(f"{file} holds a frame of {length} bytes", _OTHER)
                rows = _decode(_read(packed, length))
                count += len(rows)
                yield from rows
    except (EOFError, OSError, zlib.error, msgspec.DecodeError) as exc:
        raise Damaged(f"{file} cannot be read: {exc}", _OTHER) from exc
    if count != entry.rows:
        raise Damaged(f"{file} holds {count} rows, the manifest says {entry.rows}", _OTHER)


_OTHER = "fetch the backup again, or use another one"


def _read(packed: gzip.GzipFile, size: int) -> bytes:
    found = packed.read(size)
    if len(found) != size:
        raise EOFError("it ends too early")
    return found


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """The manifest and its digest, on disk when this returns."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_whole(directory / MANIFEST, content)
    write_whole(directory / DIGEST, f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode())


def write_whole(file: Path, content: bytes) -> None:
    """A new file that only its owner may read, on disk when this returns."""
    with _new(file) as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _new(file: Path) -> BinaryIO:
    return open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def read_manifest(directory: Path) -> Manifest:
    """The manifest. Raises Damaged for a directory that holds no whole backup of this format."""
    try:
        content = (directory / MANIFEST).read_bytes()
        said = (directory / DIGEST).read_text("ascii", "replace").split()
    except OSError as exc:
        raise Damaged(f"{directory} holds no backup: {exc.strerror} ({exc.filename})", _OTHER) from exc
    if said != [hashlib.sha256(content).hexdigest(), MANIFEST]:
        raise Damaged(f"{directory / MANIFEST} was changed since it was written", _OTHER)
    try:
        found = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as exc:
        raise Damaged(
            f"{directory / MANIFEST} cannot be read: {exc}", "restore it with a later version"
        ) from exc
    if found.format != FORMAT:
        raise Damaged(
            f"the backup has format {found.format}, this version knows {FORMAT}",
            f"restore it with hookvitals {found.hookvitals}",
        )
    return found


def digest_of(file: Path) -> str:
    """SHA-256 in hexadecimal digits. Raises Damaged for a file that cannot be read."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        raise Damaged(f"{file} cannot be read: {exc.strerror}", _OTHER) from exc


def require_whole(directory: Path, files: Iterable[tuple[str, str]]) -> None:
    """Raises Damaged, naming it, for the first (file, SHA-256) that is not as it was written."""
    for name, sha256 in files:
        if Path(name).name != name:
            raise Damaged(f"the manifest names a file outside of {directory}", _OTHER)
        if digest_of(directory / name) != sha256:
            raise Damaged(f"{directory / name} was changed since it was written", _OTHER)
