"""What the operations work with, for the command line and the dashboard alike."""

import secrets
from collections.abc import Callable

from monitor.clock import Clock
from monitor.config import Document
from monitor.operations.desk import Desk
from monitor.operations.passwords import Passwords
from monitor.seal import Sealer
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader


def desk_of(
    control: Control, facts: FactReader, clock: Clock, sealing_key: bytes, document: Callable[[], Document]
) -> Desk:
    """document: the one in force, asked at each plan of a replay."""
    return Desk(
        control,
        facts,
        clock,
        Sealer(sealing_key),
        secrets.token_hex,
        Passwords(),
        lambda: document().replay.per_second,
    )
