"""What a replay would send and what it would leave out, and why. Pure: no store, no network, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.dead_letters import Refusal


@dataclass(frozen=True, slots=True)
class Candidate:
    """One letter as it stands. redacted: None when nothing was captured."""

    letter_id: str
    known: bool = True
    resolved: bool = False
    succeeded: bool = False
    busy: bool = False
    redacted: bool | None = None
    body_bytes: int = 0
    has_url: bool = False
    has_secret: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A frozen set: what to send, in order, and the letters left out by reason."""

    to_send: tuple[str, ...]
    refused: Mapping[str, Refusal]
    body_bytes: int
    per_second: float

    @property
    def letters(self) -> int:
        return len(self.to_send) + len(self.refused)

    @property
    def duration(self) -> timedelta:
        """How long sending takes at the rate, at least."""
        return timedelta(seconds=len(self.to_send) / self.per_second)

    @property
    def already_succeeded(self) -> int:
        return sum(why in (Refusal.SUCCEEDED, Refusal.RESOLVED) for why in self.refused.values())

    @property
    def refusals(self) -> Sequence[tuple[Refusal, int]]:
        """How many are left out for each reason, the most frequent first."""
        reasons = list(self.refused.values())
        counts = {why: reasons.count(why) for why in dict.fromkeys(reasons)}
        return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def plan(candidates: Sequence[Candidate], per_second: float) -> Plan:
    """The plan for the candidates, in their order. A letter named twice is sent once."""
    distinct = list({candidate.letter_id: candidate for candidate in candidates}.values())
    judged = [(candidate, refusal(candidate)) for candidate in distinct]
    sent = [candidate for candidate, why in judged if why is None]
    return Plan(
        to_send=tuple(candidate.letter_id for candidate in sent),
        refused={candidate.letter_id: why for candidate, why in judged if why is not None},
        body_bytes=sum(candidate.body_bytes for candidate in sent),
        per_second=per_second,
    )


def refusal(candidate: Candidate) -> Refusal | None:
    """Why the letter is left out; None when it can be sent."""
    tests = (
        (not candidate.known, Refusal.UNKNOWN),
        (candidate.resolved, Refusal.RESOLVED),
        (candidate.succeeded, Refusal.SUCCEEDED),
        (candidate.busy, Refusal.BUSY),
        (candidate.redacted is None, Refusal.NO_CAPTURE),
        (candidate.redacted is True, Refusal.REDACTED),
        (not candidate.has_url, Refusal.NO_URL),
        (not candidate.has_secret, Refusal.NO_SECRET),
    )
    return next((why for applies, why in tests if applies), None)
