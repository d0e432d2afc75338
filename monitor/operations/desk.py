"""What every operation works with, put together once a process; and how an act is audited."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.clock import Clock
from monitor.operations.actor import Actor
from monitor.operations.passwords import Passwords
from monitor.seal import Sealer
from monitor.store.control import Control, Tx
from monitor.store.facts.protocol import FactReader

DEFAULT_PER_SECOND = 5.0


@dataclass(frozen=True, slots=True)
class Desk:
    """random_hex: as many random bytes in hex as asked for. per_second: the pace of replays, read at each
    plan."""

    control: Control
    facts: FactReader
    clock: Clock
    sealer: Sealer = field(repr=False)
    random_hex: Callable[[int], str]
    passwords: Passwords
    per_second: Callable[[], float] = lambda: DEFAULT_PER_SECOND

    def audit(
        self, tx: Tx, actor: Actor, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Adds the act to the audit, in the act's own transaction. detail: no secret, no payload."""
        self.control.audit.append(
            tx, self.clock.now(), actor.name, actor.role.value, actor.via, action, subject, detail or {}
        )
