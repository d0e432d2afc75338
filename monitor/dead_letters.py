"""The nouns of dead letters and replays: letters, what is known of them, replays and their items.

Values only: no store, no network, no clock.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.model import Outcome

PERMANENT_LETTER = "permanent_letter"
"""The kind of alert that the intake of dead letters raises itself: no rule judges it, none may end it."""


class LetterState(StrEnum):
    """Where a letter stands. none: records of its replays came, but not yet the one that says it died."""

    NONE = "none"
    OPEN = "open"
    PERMANENT = "permanent"
    RESOLVED = "resolved"


SHOWN = (LetterState.OPEN, LetterState.PERMANENT, LetterState.RESOLVED)


@dataclass(frozen=True, slots=True)
class LetterKey:
    """Which event at which endpoint."""

    environment: str
    source: str
    endpoint: str
    event_id: str

    @property
    def id(self) -> str:
        """32 hex digits, the same for the same event wherever it is worked out."""
        parts = [self.environment, self.source, self.endpoint, self.event_id]
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class LetterRecord:
    """What a letter keeps of a processing record."""

    record_id: str
    recorded_at: datetime
    outcome: Outcome
    event_type: str
    replay_id: str | None = None
    attempt: int | None = None
    reason: str | None = None
    error_class: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the records of an event say of its letter. failed_replays: since it last died anew."""

    state: LetterState
    event_type: str
    died_at: datetime
    how: str | None = None
    settled_at: datetime | None = None
    failed_replays: int = 0
    attempt: int | None = None
    error_class: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it stands. redacted: None when nothing was captured; body_bytes: of the sealed capture."""

    id: str
    key: LetterKey
    standing: Standing
    redacted: bool | None = None
    body_bytes: int = 0

    @property
    def state(self) -> LetterState:
        return self.standing.state


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters to show; empty parts match all. Times are of death, until exclusive."""

    environment: str | None = None
    source: str | None = None
    endpoint: str | None = None
    event_type: str | None = None
    error_class: str | None = None
    states: Sequence[LetterState] = SHOWN
    since_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealedCapture:
    sealed: bytes = field(repr=False)
    redacted: bool


class Refusal(StrEnum):
    """Why a letter cannot or need not be sent."""

    UNKNOWN = "unknown_letter"
    RESOLVED = "already_resolved"
    SUCCEEDED = "already_succeeded"
    BUSY = "in_another_replay"
    NO_CAPTURE = "capture_missing"
    REDACTED = "capture_redacted"
    NO_URL = "no_endpoint_url"
    NO_SECRET = "no_replay_secret"  # noqa: S105  # a reason, not a secret

    @property
    def hint(self) -> str:
        """What to do about it."""
        return HINTS[self]


HINTS: Mapping[Refusal, str] = {
    Refusal.UNKNOWN: "there is no dead letter of that id",
    Refusal.RESOLVED: "nothing to do: the event was processed since",
    Refusal.SUCCEEDED: "nothing to do: the event was processed since",
    Refusal.BUSY: "wait for that replay, or cancel it",
    Refusal.NO_CAPTURE: "its body was not captured; set the receiver's capture to dead_letters",
    Refusal.REDACTED: "its body was redacted in the receiver; a redacted body is shown, never sent",
    Refusal.NO_URL: "give the endpoint a url in hookvitals.toml or through the API",
    Refusal.NO_SECRET: "give the endpoint a replay_secret, and the receiver the same one",
}


class ReplayState(StrEnum):
    """stopped: by the brake, can be resumed. cancelled: by a person, for good."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


UNFINISHED = (ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.STOPPED)


class ItemState(StrEnum):
    """sending: claimed, so its request may be on the way. sent: answered, its record not yet here."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNCONFIRMED = "unconfirmed"


IN_FLIGHT = (ItemState.SENDING, ItemState.SENT)
SETTLED = (ItemState.SUCCEEDED, ItemState.FAILED, ItemState.SKIPPED, ItemState.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Replay:
    """A frozen set of letters on its way. resumed_at: failures before it brake no more."""

    id: str
    state: ReplayState
    reason: str
    created_by: str
    created_at: datetime
    per_second: float
    in_flight: int
    automatic: bool = False
    state_reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    resumed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One letter of a replay. Its id goes out as Hookvitals-Replay and comes back as a record's
    replay_id."""

    id: str
    replay_id: str
    position: int
    letter_id: str
    key: LetterKey
    state: ItemState
    reason: str = ""
    attempts: int = 0
    epoch: int | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    http_status: int | None = None
    record_id: str | None = None
