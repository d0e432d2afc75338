"""What the pages are built on: reads, actions, the clock, who looks. Protocols: pages know no store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dashboard.drafts import Draft
from dashboard.scope import Scope
from dashboard.views import (
    AlertLine,
    AlertView,
    ChecklistView,
    Choices,
    EndpointView,
    EventPage,
    IssuesView,
    IssueView,
    LettersView,
    OverviewView,
    Payload,
    ReplayLine,
    ReplayPlan,
    RulesView,
    ShellView,
    SilencesView,
    StatusView,
    Viewer,
)
from monitor.clock import Clock
from monitor.model import Record

Place = tuple[str, str, str]
"""Environment, source, endpoint."""


class Reads(Protocol):
    """What the pages ask. Nothing here changes anything; `now` is the end of the scope's range."""

    def shell(self, environment: str, now: datetime) -> ShellView: ...

    def overview(self, scope: Scope, now: datetime) -> OverviewView: ...

    def endpoint(self, scope: Scope, source: str, endpoint: str, now: datetime) -> EndpointView | None: ...

    def records(self, scope: Scope, limit: int, before: str | None, now: datetime) -> EventPage: ...

    def choices(self, environment: str) -> Choices: ...

    def event(self, environment: str, source: str, event_id: str) -> Sequence[Record]: ...

    def find_event(self, environment: str, event_id: str) -> Sequence[tuple[str, str]]:
        """(source, endpoint) pairs at which an event of that id was seen."""

    def alerts(self, environment: str) -> Sequence[AlertLine]: ...

    def alert(self, id: str) -> AlertView | None: ...

    def checklist(self, environment: str, source: str, endpoint: str) -> ChecklistView | None: ...

    def rules(self, environment: str, now: datetime) -> RulesView: ...

    def issues(self, scope: Scope, limit: int, now: datetime) -> IssuesView: ...

    def issue(self, id: str, now: datetime) -> IssueView | None: ...

    def silences(self, chosen: str | None, now: datetime) -> SilencesView:
        """chosen: the silence of which the view lists what it has hidden."""

    def letters(self, scope: Scope, limit: int) -> LettersView: ...

    def replays(self, limit: int) -> Sequence[ReplayLine]: ...

    def report_weeks(self, now: datetime) -> Sequence[str]:
        """ISO weeks that can be reported, newest first: `2026-W47`."""

    def report(self, environment: str, week: str, form: str, now: datetime) -> tuple[str, bytes]:
        """(content type, document) of a week's SLA report as html, csv or json."""

    def status(self, now: datetime) -> StatusView: ...


class Actions(Protocol):
    """What a person does. Every call names who; refusals are errors of monitor.errors with a hint."""

    def login(self, name: str, password: str, address: str) -> str:
        """A new session's secret. Raises Unauthorized or TooManyRequests."""

    def viewer(self, secret: str) -> Viewer | None:
        """Who the session belongs to; None when there is none, or it has ended."""

    def logout(self, secret: str) -> None: ...

    def acknowledge(
        self, viewer: Viewer, alert_id: str, note: str, lasts: timedelta | None = None
    ) -> None: ...

    def silence(self, viewer: Viewer, draft: Draft) -> None: ...

    def end_silence(self, viewer: Viewer, silence_id: str) -> None: ...

    def resolve_issues(self, viewer: Viewer, issue_ids: Sequence[str]) -> None: ...

    def attest(self, viewer: Viewer, place: Place, item: str, note: str, lasts: timedelta) -> None: ...

    def withdraw(self, viewer: Viewer, place: Place, item: str) -> None: ...

    def plan_replay(self, viewer: Viewer, letter_ids: Sequence[str]) -> ReplayPlan: ...

    def start_replay(self, viewer: Viewer, letter_ids: Sequence[str], reason: str) -> str:
        """The id of the replay that now runs."""

    def steer_replay(self, viewer: Viewer, replay_id: str, move: str) -> None:
        """move: pause, resume or cancel."""

    def reveal(
        self, viewer: Viewer, environment: str, source: str, endpoint: str, event_id: str
    ) -> Payload | None:
        """The captured payload, masked; the look itself is audited."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Handed to every page. viewer: who makes the current request."""

    reads: Reads
    actions: Actions
    clock: Clock
    viewer: Callable[[], Viewer]
