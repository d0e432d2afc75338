"""What became of records that were posted: accepted, or dropped for a reason. Sends nothing."""

from dataclasses import dataclass, field
from typing import Dict


@dataclass
class Settled:
    """dropped: how many by reason."""

    accepted: int = 0
    dropped: Dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str) -> None:
        """Counts one that is lost."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def number(self) -> int:
        """Records of which this speaks."""
        return self.accepted + sum(self.dropped.values())
