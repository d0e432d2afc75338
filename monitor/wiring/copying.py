"""The stores that the settings name, opened to be copied out or filled anew: for backup and restore."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import ModuleType

from monitor.clock import Clock, to_us
from monitor.config import Settings, secret_key
from monitor.config.secret_key import FILE
from monitor.seal import key_id
from monitor.store.control import dump as control_dump
from monitor.store.control import load as control_load
from monitor.store.control.migrations import head
from monitor.store.driver import require_driver
from monitor.store.facts import portable
from monitor.store.facts.sqlite import dump as sqlite_dump
from monitor.store.facts.sqlite import load as sqlite_load
from monitor.store.portable import Dump, Load
from monitor.wiring.stores import control_url, facts_path, facts_url

FACTS_TABLES, CONTROL_TABLES = portable.TABLES, control_dump.TABLES
"""What this version carries."""
Dumping = Callable[[Path], AbstractContextManager[Dump]]


def facts_dumping(settings: Settings) -> Dumping:
    """Opens a snapshot of the facts, given a directory for what that takes."""
    if url := facts_url(settings):
        dump, _ = _postgres()
        return lambda workspace: dump.dumping(url)
    return partial(sqlite_dump.dumping, facts_path(settings))


def control_dumping(settings: Settings) -> Dumping:
    """Opens a snapshot of control, given a directory for what that takes."""
    return partial(control_dump.dumping, control_url(settings))


def require_empty(settings: Settings) -> None:
    """Raises Conflict, naming the store and what to do, when either holds anything."""
    if url := facts_url(settings):
        _, load = _postgres()
        load.require_empty(url)
    else:
        sqlite_load.require_empty(facts_path(settings))
    control_load.require_empty(control_url(settings))


def facts_loading(settings: Settings, clock: Clock, floor_us: int) -> AbstractContextManager[Load]:
    """New facts under a new id, in place once the block has ended."""
    if url := facts_url(settings):
        _, load = _postgres()
        loading: AbstractContextManager[Load] = load.loading(url, floor_us, to_us(clock.now()))
        return loading
    return sqlite_load.loading(facts_path(settings), floor_us)


def control_loading(settings: Settings) -> AbstractContextManager[control_load.ControlLoad]:
    """A new control store, in place once the block has ended."""
    return control_load.loading(control_url(settings))


def secret_file(settings: Settings) -> Path | None:
    """Where the sealing key lies, or would lie; None when it is a setting."""
    return None if settings.secret_key.get_secret_value() else settings.data_dir / FILE


def sealing_id(settings: Settings) -> str | None:
    """What names the sealing key; None when there is none yet. Makes none."""
    file = secret_file(settings)
    return None if file is not None and not file.exists() else key_id(secret_key(settings)).hex()


def control_schema() -> str:
    """The revision of control that this version works with."""
    return head()


def _postgres() -> tuple[ModuleType, ModuleType]:
    """What needs the driver. Raises ConfigError, with the command to run, where it is not installed."""
    require_driver()
    from monitor.store.facts.postgres import dump, load  # noqa: PLC0415  # SQLite alone never loads the driver

    return dump, load
