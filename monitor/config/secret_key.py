"""The key that seals captures: from the settings, or made once in the data directory.

It is read and written here and nowhere else; nothing prints it.
"""

import os
import secrets
from pathlib import Path

from monitor.config.settings import Settings
from monitor.errors import ConfigError

FILE = "secret.key"
KEY_BYTES = 32


def secret_key(settings: Settings) -> bytes:
    """32 bytes. Without a stated key, those of secret.key in the data directory, made with mode 0600.

    Raises ConfigError when the file can be neither read nor made, or holds something else.
    """
    stated = settings.secret_key.get_secret_value()
    if stated:
        return bytes.fromhex(stated)
    file = settings.data_dir / FILE
    try:
        key = bytes.fromhex(_read_or_make(file))
    except FileNotFoundError as exc:
        raise ConfigError(
            f"there is no data directory {settings.data_dir}", "make it with `hookvitals db upgrade`"
        ) from exc
    except OSError as exc:
        raise ConfigError(
            f"{file}: {exc.strerror}", "make the data directory writable, or set data_dir"
        ) from exc
    except ValueError as exc:
        raise ConfigError(
            f"{file} holds no key", "put back the file it was; sealed captures need it"
        ) from exc
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{file} holds no key of 32 bytes", "put back the file that was there")
    return key


def _read_or_make(file: Path) -> str:
    """The file's text. Two processes that start together agree: one makes it whole, the other reads it."""
    if not file.exists():
        mine = file.with_name(f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as made:
                made.write(secrets.token_hex(KEY_BYTES) + "\n")
                made.flush()
                os.fsync(made.fileno())
            try:
                os.link(mine, file)  # unlike a rename, it never replaces a key that is there already
            except FileExistsError:
                pass
        finally:
            mine.unlink()
        _sync(file.parent)  # a key that a power cut takes away would leave captures nobody can open
    return file.read_text().strip()


def _sync(directory: Path) -> None:
    """What was made in the directory stays there."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
