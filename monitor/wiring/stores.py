"""The stores that the settings name: made, brought to this version, opened."""

from pathlib import Path

from monitor.clock import Clock
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader
from monitor.store.facts.sqlite import file as sqlite_file
from monitor.store.facts.sqlite.reader import SqliteFactReader

FACTS_FILE = "facts.db"
CONTROL_FILE = "control.db"


def facts_path(settings: Settings) -> Path:
    """The SQLite file of the facts."""
    return settings.data_dir / FACTS_FILE


def make_data_dir(settings: Settings) -> None:
    """The data directory, for this user alone. Raises ConfigError when it can be neither made nor written."""
    directory = settings.data_dir
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise ConfigError(
            f"the data directory {directory} cannot be written: {exc.strerror}",
            "give it to this user, or set HOOKVITALS_DATA_DIR to another one",
        ) from exc


def upgrade_facts(settings: Settings) -> Path:
    """Makes the facts store or brings it to this version."""
    path = facts_path(settings)
    sqlite_file.create(path)
    return path


def open_facts(settings: Settings) -> FactReader:
    """For reading. Opening is lazy: a missing or older store is told of at the first read."""
    return SqliteFactReader(facts_path(settings))


def control_url(settings: Settings) -> str:
    """The URL of the control store."""
    stated = settings.control_url.get_secret_value() or settings.store_url.get_secret_value()
    return stated or f"sqlite:///{settings.data_dir.absolute() / CONTROL_FILE}"


def open_control(settings: Settings, clock: Clock) -> Control:
    """Raises WrongSchema, with the command to run, for a store that is missing or of another version."""
    return Control.open(control_url(settings), clock, connections=settings.database_connections // 2)
