"""Failures folded into issues: the same trouble at the same place is one thing, however often it happens.

Two failures are of one issue when environment, source, endpoint, event type, error class and message are the
same, the message with all that varies taken out of it. Pure: no store, no clock.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MESSAGE_CHARS = 200
NEW_FOR = timedelta(hours=24)
"""How long an issue counts as new, or as regressed: a night and a day, so that each shift has seen it."""
OTHER_MESSAGE = "__other__"
"""Stands for every further message of a place that had too many different ones."""

_HEX = r"[0-9a-fA-F]"
_VARYING = re.compile(
    rf"""
      (?P<url>\b[a-z][a-z0-9+.-]{{0,15}}://[^\s'"<>]+)
    | (?P<mail>\b[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}})+)
    | (?P<uuid>\b{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}\b)
    | (?P<time>\b\d{{4}}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)
    | (?P<address>\b\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d+)?\b)
    | (?P<quoted>'[^']*'|"[^"]*"|`[^`]*`)
    | (?P<hex>\b0x{_HEX}+\b|\b(?={_HEX}*\d){_HEX}{{8,}}\b)
    | (?P<id>\b[A-Za-z][A-Za-z0-9]{{0,15}}_(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{{4,}})
    | (?P<number>(?<![A-Za-z0-9_])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?)
    """,
    re.VERBOSE,
)
"""What differs between two messages of the same trouble, the longest kinds first."""


class IssueState(StrEnum):
    """Where an issue stands. Derived from its times, never stored."""

    NEW = "new"
    ONGOING = "ongoing"
    REGRESSED = "regressed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Kin:
    """What failures of one issue have in common. message: as `alike` returns it."""

    environment: str
    source: str
    endpoint: str
    event_type: str
    error_class: str
    message: str

    @property
    def id(self) -> str:
        """The issue's identity: 32 hex digits."""
        parts = (
            self.environment,
            self.source,
            self.endpoint,
            self.event_type,
            self.error_class,
            self.message,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Issue:
    """One trouble. record_id: its latest failure. resolved_by: a person, or `quiet` for one that stopped."""

    kin: Kin
    first_seen_at: datetime
    last_seen_at: datetime
    failures: int
    record_id: str
    regressed_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None

    def state(self, now: datetime) -> IssueState:
        if self.resolved_at is not None:
            return IssueState.RESOLVED
        if self.regressed_at is not None:
            return IssueState.REGRESSED if now - self.regressed_at < NEW_FOR else IssueState.ONGOING
        return IssueState.NEW if now - self.first_seen_at < NEW_FOR else IssueState.ONGOING


def alike(message: str | None) -> str:
    """The message's first line; ids, numbers, times, addresses and quoted texts replaced by their kind."""
    line = next(iter((message or "").strip().splitlines()), "")[: 4 * MESSAGE_CHARS]
    said = _VARYING.sub(lambda found: f"<{found.lastgroup}>", line)
    return " ".join(said.split())[:MESSAGE_CHARS]


def seen(known: Issue | None, kin: Kin, failures: int, at: datetime, record_id: str) -> Issue:
    """The issue after `failures` more of its kin, the latest of them at `at`; in whatever order they come.

    A failure from before the issue was resolved, told of late, is counted and reopens nothing.
    """
    if known is None:
        return Issue(kin, at, at, failures, record_id)
    counted = replace(known, failures=known.failures + failures, first_seen_at=min(known.first_seen_at, at))
    if at >= known.last_seen_at:
        counted = replace(counted, last_seen_at=at, record_id=record_id)
    if known.resolved_at is None or at <= known.resolved_at:
        return counted
    return replace(counted, regressed_at=at, resolved_at=None, resolved_by=None)


def resolved(known: Issue, by: str, at: datetime) -> Issue:
    """The issue, ended; one that has ended stays as it is."""
    return known if known.resolved_at is not None else replace(known, resolved_at=at, resolved_by=by)
