"""What became of one batch of records: accepted, dropped for a reason, or to be sent again. Sends nothing."""

from dataclasses import dataclass, field
from typing import Dict, List


@dataclass
class Settled:
    """left: records to be sent again. dropped: how many by reason."""

    left: List[bytes] = field(default_factory=list)
    accepted: int = 0
    dropped: Dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str) -> None:
        """Counts one that is lost."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def add(self, other: "Settled") -> "Settled":
        """This, with the other's added to it."""
        self.left += other.left
        self.accepted += other.accepted
        for reason, number in other.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + number
        return self
