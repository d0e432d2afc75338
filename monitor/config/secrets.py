"""Following references to secrets, in the process that needs them. What it returns is never stored."""

from collections.abc import Mapping
from pathlib import Path

from monitor.config.values import SecretRef
from monitor.errors import ConfigError


def resolve(ref: SecretRef, environ: Mapping[str, str]) -> str:
    """The secret behind the reference, trimmed. Raises ConfigError naming the reference."""
    if ref.env is not None:
        value = environ.get(ref.env, "").strip()
        if not value:
            raise ConfigError(f"{ref} is not set", "set it for every process of the monitor")
        return value
    try:
        value = Path(ref.file or "").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{ref} cannot be read", "give a readable file") from exc
    if not value:
        raise ConfigError(f"{ref} is empty", "write the secret into it")
    return value
