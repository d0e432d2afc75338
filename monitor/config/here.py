"""The configuration of this very process: the environment it was started with and the file it points at.

The one reader of `os.environ`. Whatever needs an environment takes it as a mapping.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from monitor.config.load import Loaded, load
from monitor.config.settings import CONFIG_VARIABLE, DEFAULT_FILE, PREFIX
from monitor.errors import ConfigError


def load_here(file: Path | None = None) -> Loaded:
    """Settings and document of this process.

    file: as named on the command line; else HOOKVITALS_CONFIG; else ./hookvitals.toml if there is one; else
    nothing but defaults. Raises ConfigError.
    """
    named = file or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if named is not None and not named.is_file():
        raise ConfigError(f"{named}: there is no such file", f"write it, or unset {CONFIG_VARIABLE}")
    if named is None and Path(DEFAULT_FILE).is_file():
        named = Path(DEFAULT_FILE)
    return load(named, os.environ)


def environment() -> Mapping[str, str]:
    """This process's environment, for `secrets.resolve`."""
    return os.environ


def adopt(file: Path | None) -> None:
    """Makes whatever runs in this process after it read the same file."""
    if file is not None:
        os.environ[CONFIG_VARIABLE] = str(file.resolve())


def child_environment(file: Path | None) -> dict[str, str]:
    """The environment of a process that shall read the same file."""
    changes = {CONFIG_VARIABLE: str(file.resolve())} if file else {}
    return {**os.environ, **changes}


def bare_environment(file: Path) -> dict[str, str]:
    """The same without any other variable of ours: the file alone decides."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**others, CONFIG_VARIABLE: str(file.resolve())}
