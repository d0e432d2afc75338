"""Dead letters and their replays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One dead letter. replayable: None, or why it cannot be replayed."""

    id: str
    source: str
    endpoint: str
    event_id: str
    event_type: str
    state: str
    error_class: str
    error_message: str
    attempts: int
    replays: int
    died_at: datetime
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class LettersView:
    letters: Sequence[LetterLine]
    total: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What a replay would do, before it starts. refusals: (why, how many) of the letters left out."""

    letters: int
    to_send: int
    body_bytes: int
    rate_per_s: float | None
    refusals: Sequence[tuple[str, int]]
    already_succeeded: int
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """One replay and how far it is; counts per item state."""

    id: str
    state: str
    reason: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    stopped_because: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts.values())
