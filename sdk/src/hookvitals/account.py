"""What one instance made and what became of it, as it is told to the collector and kept beside a spool.

At every moment: produced = accepted + waiting + dropped + unanswered. Does no I/O; whoever shares one has a
lock.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping

from hookvitals.settled import Settled
from hookvitals.version import VERSION


@dataclass
class Account:
    """unanswered: records in flight when their process was killed, of which only the collector knows."""

    instance: str
    started_at_us: int
    accepted: int = 0
    dropped: Dict[str, int] = field(default_factory=dict)
    unanswered: int = 0

    def drop(self, reason: str, number: int = 1) -> None:
        """Counts records that are lost."""
        if number:
            self.dropped[reason] = self.dropped.get(reason, 0) + number

    def settle(self, settled: Settled) -> None:
        """Counts what became of a batch."""
        self.accepted += settled.accepted
        for reason, number in settled.dropped.items():
            self.drop(reason, number)

    def produced(self, waiting: int) -> int:
        """Records made so far, when so many of them wait."""
        return self.accepted + waiting + sum(self.dropped.values()) + self.unanswered

    def said(self, waiting: int, in_post: int) -> Dict[str, Any]:
        """What the collector is told with a post of so many of those that wait."""
        return {
            "name": "hookvitals-python",
            "version": VERSION,
            "instance": self.instance,
            "started_at": self.started_at_us,
            "sent_at": time.time_ns() // 1000,
            "produced": self.produced(waiting),
            "spooled": waiting - in_post,
            "dropped": dict(self.dropped),
        }

    def ledger(self, waiting: int, in_flight: int = 0) -> Dict[str, Any]:
        """What whoever takes over needs to know. in_flight: of the waiting ones, those that only memory
        holds and that the collector may have stored when this process is killed."""
        return {
            "instance": self.instance,
            "started_at": self.started_at_us,
            "produced": self.produced(waiting),
            "accepted": self.accepted,
            "dropped": dict(self.dropped),
            "unanswered": self.unanswered + in_flight,
        }


def taken_over(ledger: Mapping[str, Any], name: str, waiting: int, torn: int) -> Account:
    """The account of a process that has ended: what is on disk waits on, what only memory held is `killed`.

    name: of its spool, for one whose ledger is damaged. waiting, torn: its records on disk, and those that
    it could not finish writing.
    """
    account = Account(
        instance=str(ledger.get("instance") or f"spool-{name}")[:128],
        started_at_us=int(ledger.get("started_at") or name.partition("-")[0]),
        accepted=int(ledger.get("accepted", 0)),
        dropped=dict(ledger.get("dropped", {})),
        unanswered=int(ledger.get("unanswered", 0)),
    )
    account.drop("spool_damaged", torn)
    account.drop("killed", max(0, int(ledger.get("produced", 0)) - account.produced(waiting)))
    return account
