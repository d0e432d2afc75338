"""The stores as commands use them: opened for one command, closed after it. And who is typing."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.cli.base import Here
from monitor.clock import SystemClock
from monitor.config import secret_key
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control import Control
from monitor.store.control.accounts import Role
from monitor.store.facts.protocol import FactReader
from monitor.wiring.desk import desk_of
from monitor.wiring.stores import open_control, open_facts


@contextmanager
def opened_facts(here: Here) -> Iterator[FactReader]:
    reader = open_facts(here.loaded.settings)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def opened_control(here: Here) -> Iterator[Control]:
    """Raises WrongSchema, with the command to run, for a store that is missing or of another version."""
    control = open_control(here.loaded.settings, SystemClock())
    try:
        yield control
    finally:
        control.close()


def typist() -> str:
    """Whoever may run this command on this machine administers the installation: the user's name, for the
    audit."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


@contextmanager
def opened_desk(here: Here) -> Iterator[tuple[Desk, Actor]]:
    """What acts, and as whom."""
    settings, document = here.loaded.settings, here.loaded.document
    with opened_control(here) as control, opened_facts(here) as facts:
        desk = desk_of(control, facts, SystemClock(), secret_key(settings), lambda: document)
        yield desk, Actor(typist(), Role.ADMIN, "cli")
