"""The monitor itself, and the frame around every page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

BLIND_AFTER = timedelta(seconds=60)
"""A collector that was silent for longer leaves the monitor blind."""


@dataclass(frozen=True, slots=True)
class Job:
    """One scheduled job of the worker. late: its last success is further back than it should be."""

    name: str
    every_s: float | None
    last_success_at: datetime | None
    late: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """One SDK instance as it last reported itself."""

    name: str
    version: str
    instance: str
    seen_at: datetime
    skew_s: float | None
    produced: int
    dropped: Mapping[str, int]
    inbox_depth: int | None = None


@dataclass(frozen=True, slots=True)
class StatusView:
    heartbeat_at: datetime | None
    jobs: Sequence[Job]
    clients: Sequence[Client]
    facts_bytes: int | None
    facts_budget_bytes: int | None
    oldest_kept_at: datetime | None
    channels: Sequence[str]
    leader: str | None = None
    version: str = ""
    queues: Sequence[tuple[str, str, str, int, float | None, datetime]] = ()


@dataclass(frozen=True, slots=True)
class ShellView:
    """What the frame around every page shows. paste: the lines to paste when nothing was ever received.

    new_issues: new and regressed ones.
    """

    environments: Sequence[str]
    heartbeat_at: datetime | None
    channels: Sequence[str]
    late_jobs: Sequence[Job]
    firing: int
    open_letters: int
    ever_received: bool
    paste: str = ""
    new_issues: int = 0
