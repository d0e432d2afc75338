"""The stores that the settings name: made, brought to this version, opened."""

from functools import partial
from pathlib import Path
from types import ModuleType

from monitor.clock import Clock
from monitor.collector.keeper import OpenStore, SharedStore
from monitor.config import Settings
from monitor.config.values import StoreUrl
from monitor.errors import ConfigError
from monitor.store.control import Control
from monitor.store.driver import require_driver
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


def facts_url(settings: Settings) -> str:
    """The URL of the facts in PostgreSQL; empty when they are in the SQLite file."""
    return settings.facts_url.get_secret_value() or settings.store_url.get_secret_value()


def upgrade_facts(settings: Settings) -> str:
    """Makes the facts store or brings it to this version; where it is, without a password."""
    if url := facts_url(settings):
        _postgres().upgrade(url)
        return str(StoreUrl(url))
    path = facts_path(settings)
    sqlite_file.create(path)
    return str(path)


def open_facts(settings: Settings, *, for_screens: bool = False) -> FactReader:
    """For reading. Opening is lazy: a missing or older store is told of at the first read.

    for_screens: what may be a moment old is read from the replica, where there is one.
    """
    if url := facts_url(settings):
        replica_url = settings.facts_replica_url.get_secret_value() if for_screens else ""
        reader: FactReader = _postgres().reader(url, replica_url, settings.database_connections // 2)
        return reader
    return SqliteFactReader(facts_path(settings))


def facts_opener(settings: Settings) -> OpenStore | None:
    """What opens the facts for writing in any process of the collector; None for SQLite, which one writes.

    Each keeps one connection for control.
    """
    url = facts_url(settings)
    return partial(_open_writer, url, settings.database_connections - 1) if url else None


def _open_writer(url: str, connections: int) -> SharedStore:
    writer: SharedStore = _postgres().writer(url, connections)
    return writer


def _postgres() -> ModuleType:
    """What needs the driver. Raises ConfigError, with the command to run, where it is not installed."""
    require_driver()
    from monitor.wiring import postgres  # noqa: PLC0415  # SQLite alone never loads the driver, it is an extra

    return postgres


def control_url(settings: Settings) -> str:
    """The URL of the control store."""
    stated = settings.control_url.get_secret_value() or settings.store_url.get_secret_value()
    return stated or f"sqlite:///{settings.data_dir.absolute() / CONTROL_FILE}"


def open_control(settings: Settings, clock: Clock) -> Control:
    """Raises WrongSchema, with the command to run, for a store that is missing or of another version."""
    return Control.open(control_url(settings), clock, connections=settings.database_connections // 2)
