"""Who is looking, and what they may do."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a user may do; each role may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking."""

    name: str
    role: Role

    @property
    def operates(self) -> bool:
        """Acknowledges, replays, silences, and may reveal payloads."""
        return self.role >= Role.OPERATOR
