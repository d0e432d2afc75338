"""A disk whose power can be cut, and that can fail: ext4 in a file, on a loop device, mounted in a directory.

`cut` is ext4's own shutdown without flushing its log: from then on the kernel writes nothing more, and what
was not synced by then is gone when the disk is mounted again, as after a real power cut. Needs root, loop
devices and ext4; `impossible` says what is missing.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

MIB = 256
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN = _IOR('X', 125, __u32)
_PROGRAMS = ("mkfs.ext4", "e2fsck", "mount", "umount", "findmnt", "sync")
_NO_LOG_FLUSH = struct.pack("I", 2)


class Disk:
    """One disk. `directory` is where it is mounted, or would be."""

    def __init__(self, folder: Path, mib: int = MIB) -> None:
        """Made and mounted in the folder, which is on another disk."""
        self._image = folder / "disk"
        self.directory = folder / "mounted"
        self.directory.mkdir()
        with self._image.open("wb") as image:
            image.truncate(mib << 20)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mounts it; what the log of ext4 holds is brought in first."""
        _run("mount", "-o", "loop", str(self._image), str(self.directory))

    def sync(self) -> None:
        """All that is written so far stays, whatever happens."""
        _run("sync", "-f", str(self.directory))

    def cut(self) -> None:
        """No power from here on."""
        found = os.open(self.directory, os.O_RDONLY)
        try:
            fcntl.ioctl(found, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(found)

    def fail(self) -> None:
        """An error on the disk: ext4 makes it read-only at once, as most systems mount it to."""
        _run("mount", "-o", "remount,errors=remount-ro", str(self.directory))
        device = Path(_run("findmnt", "-n", "-o", "SOURCE", str(self.directory)).strip())
        Path("/sys/fs/ext4", device.name, "trigger_fs_error").write_text("1")

    def repair(self) -> None:
        """Finds no error any more; only while it is not mounted."""
        subprocess.run(["e2fsck", "-f", "-y", str(self._image)], capture_output=True, check=False)

    def unmount(self, within_s: float = 10) -> None:
        """Takes it out; waits for the processes that were killed to let go of it."""
        end_s = time.monotonic() + within_s
        while os.path.ismount(self.directory):
            done = subprocess.run(
                ["umount", str(self.directory)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0 or time.monotonic() < end_s, done.stderr
            time.sleep(0.05 if done.returncode else 0)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A disk that is taken out at the end."""
    made = Disk(folder)
    try:
        yield made
    finally:
        made.unmount()


@cache
def impossible() -> str | None:
    """Why no disk can be mounted and cut here, found out by doing it; None when it can."""
    missing = [
        name
        for name in ("mkfs.ext4", "e2fsck", "mount", "umount", "findmnt", "sync")
        if shutil.which(name) is None
    ]
    if missing:
        return f"{', '.join(missing)} is not installed"
    with tempfile.TemporaryDirectory(prefix="hookvitals-disk-") as name:
        try:
            with disk(Path(name)) as tried:
                tried.cut()
        except (OSError, subprocess.CalledProcessError) as exc:
            said = str(getattr(exc, "stderr", None) or exc)
            return f"no disk can be mounted and cut: {said.splitlines()[0]}"
    return None


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
