"""Failures of the same kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import Record


@dataclass(frozen=True, slots=True)
class IssueLine:
    """One issue: failures of the same kind."""

    id: str
    source: str
    endpoint: str
    event_type: str
    error_class: str
    message: str
    state: str
    failures: int
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_by: str | None = None


@dataclass(frozen=True, slots=True)
class IssuesView:
    """total: of all that match, shown or not."""

    issues: Sequence[IssueLine]
    total: int


NO_ISSUES = IssuesView((), 0)


@dataclass(frozen=True, slots=True)
class IssueView:
    """records: the latest failures that are still kept, the last first."""

    issue: IssueLine
    records: Sequence[Record]
