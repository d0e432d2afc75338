"""What the management API is built with. Made by the composition root, which also opens and closes it."""

from dataclasses import dataclass

from monitor.clock import Clock
from monitor.store.facts.protocol import FactReader


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every route; opened and closed by whoever starts the process."""

    facts: FactReader
    clock: Clock
