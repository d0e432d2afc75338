"""Reads and Actions whose answers a test writes: for what the pages do with a value, whatever made it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dashboard.drafts import Draft
from dashboard.scope import Scope
from dashboard.screen import Place
from dashboard.views import (
    AlertLine,
    AlertView,
    ChecklistView,
    Choices,
    EndpointView,
    EventPage,
    Figures,
    IssuesView,
    IssueView,
    LettersView,
    OverviewView,
    Payload,
    ReplayLine,
    ReplayPlan,
    Role,
    RulesView,
    ShellView,
    SilencesView,
    StatusView,
    Viewer,
)
from monitor.errors import Forbidden, Unauthorized, Unprocessable
from monitor.model import Record


@dataclass
class CannedReads:
    """Answers with its fields; lists default to empty, which is what a new installation looks like."""

    shell_view: ShellView = field(default_factory=lambda: ShellView((), None, (), (), 0, 0, False))
    overview_view: OverviewView | None = None
    endpoint_view: EndpointView | None = None
    all_records: Sequence[Record] = ()
    choices_view: Choices = field(default_factory=lambda: Choices((), (), (), ()))
    alert_lines: Sequence[AlertLine] = ()
    alert_views: Mapping[str, AlertView] = field(default_factory=dict)
    rules_view: RulesView = field(default_factory=lambda: RulesView((), None))
    checklist_view: ChecklistView | None = None
    silences_view: SilencesView = field(default_factory=lambda: SilencesView(()))
    issues_view: IssuesView = field(default_factory=lambda: IssuesView((), 0))
    issue_view: IssueView | None = None
    letters_view: LettersView = field(default_factory=lambda: LettersView((), 0, {}))
    replay_lines: Sequence[ReplayLine] = ()
    status_view: StatusView = field(default_factory=lambda: StatusView(None, (), (), None, None, None, ()))
    weeks: Sequence[str] = ()
    document: bytes = b""
    asked: list[Scope] = field(default_factory=list)

    def shell(self, environment: str, now: datetime) -> ShellView:
        return self.shell_view

    def overview(self, scope: Scope, now: datetime) -> OverviewView:
        self.asked.append(scope)
        return self.overview_view or OverviewView(
            scope.since(now), now, Figures(), Figures(), (), (), None, (), 0, 0
        )

    def endpoint(self, scope: Scope, source: str, endpoint: str, now: datetime) -> EndpointView | None:
        return self.endpoint_view

    def records(self, scope: Scope, limit: int, before: str | None, now: datetime) -> EventPage:
        self.asked.append(scope)
        newest_first = sorted(self.all_records, key=lambda r: r.record_id.bytes, reverse=True)
        after = [r for r in newest_first if before is None or str(r.record_id) < before]
        page = after[:limit]
        return EventPage(page, str(page[-1].record_id) if len(after) > limit else None)

    def choices(self, environment: str) -> Choices:
        return self.choices_view

    def event(self, environment: str, source: str, event_id: str) -> Sequence[Record]:
        found = [r for r in self.all_records if r.event_id == event_id and r.source == source]
        return sorted(found, key=lambda r: r.record_id.bytes)

    def find_event(self, environment: str, event_id: str) -> Sequence[tuple[str, str]]:
        return sorted({(r.source, r.endpoint) for r in self.all_records if r.event_id == event_id})

    def alerts(self, environment: str) -> Sequence[AlertLine]:
        return self.alert_lines

    def alert(self, id: str) -> AlertView | None:
        return self.alert_views.get(id)

    def checklist(self, environment: str, source: str, endpoint: str) -> ChecklistView | None:
        return self.checklist_view

    def rules(self, environment: str, now: datetime) -> RulesView:
        return self.rules_view

    def issues(self, scope: Scope, limit: int, now: datetime) -> IssuesView:
        self.asked.append(scope)
        return self.issues_view

    def issue(self, id: str, now: datetime) -> IssueView | None:
        return self.issue_view

    def silences(self, chosen: str | None, now: datetime) -> SilencesView:
        return self.silences_view

    def letters(self, scope: Scope, limit: int) -> LettersView:
        self.asked.append(scope)
        return self.letters_view

    def replays(self, limit: int) -> Sequence[ReplayLine]:
        return self.replay_lines

    def report_weeks(self, now: datetime) -> Sequence[str]:
        return self.weeks

    def report(self, environment: str, week: str, form: str, now: datetime) -> tuple[str, bytes]:
        return "text/html", self.document or f"<!doctype html><p>Report {week}</p>".encode()

    def status(self, now: datetime) -> StatusView:
        return self.status_view


@dataclass
class CannedActions:
    """Knows one user of each role, whose password is `secret`, and writes down what was done."""

    done: list[tuple[object, ...]] = field(default_factory=list)
    sessions: dict[str, Viewer] = field(default_factory=dict)
    plan: ReplayPlan = field(default_factory=lambda: ReplayPlan(0, 0, 0, None, (), 0))
    payload: Payload | None = None

    def login(self, name: str, password: str, address: str) -> str:
        if name.upper() not in Role.__members__ or password != "secret":
            raise Unauthorized("wrong name or password")
        self.sessions[f"session-of-{name}-{len(self.sessions)}"] = Viewer(name, Role[name.upper()])
        return list(self.sessions)[-1]

    def viewer(self, secret: str) -> Viewer | None:
        return self.sessions.get(secret)

    def logout(self, secret: str) -> None:
        self.sessions.pop(secret, None)

    def acknowledge(self, viewer: Viewer, alert_id: str, note: str, lasts: timedelta | None = None) -> None:
        self._act(viewer, "acknowledge", alert_id, note, lasts)

    def silence(self, viewer: Viewer, draft: Draft) -> None:
        if not draft.matchers:
            raise Unprocessable("a silence needs 1 to 16 matchers", "name labels, such as source = stripe")
        self._act(viewer, "silence", draft)

    def end_silence(self, viewer: Viewer, silence_id: str) -> None:
        self._act(viewer, "end", silence_id)

    def resolve_issues(self, viewer: Viewer, issue_ids: Sequence[str]) -> None:
        self._act(viewer, "resolve", tuple(issue_ids))

    def attest(self, viewer: Viewer, place: Place, item: str, note: str, lasts: timedelta) -> None:
        if not note:
            raise Unprocessable("an attestation needs a note", "say what was done")
        self._act(viewer, "attest", place, item, note, lasts)

    def withdraw(self, viewer: Viewer, place: Place, item: str) -> None:
        self._act(viewer, "withdraw", place, item)

    def plan_replay(self, viewer: Viewer, letter_ids: Sequence[str]) -> ReplayPlan:
        self._act(viewer, "plan", tuple(letter_ids))
        return self.plan

    def start_replay(self, viewer: Viewer, letter_ids: Sequence[str], reason: str) -> str:
        self._act(viewer, "start", tuple(letter_ids), reason)
        return "replay-1"

    def steer_replay(self, viewer: Viewer, replay_id: str, move: str) -> None:
        self._act(viewer, move, replay_id)

    def reveal(
        self, viewer: Viewer, environment: str, source: str, endpoint: str, event_id: str
    ) -> Payload | None:
        self._act(viewer, "reveal", environment, source, endpoint, event_id)
        return self.payload

    def _act(self, viewer: Viewer, *what: object) -> None:
        if not viewer.operates:
            raise Forbidden("viewers only look", "ask an operator")
        self.done.append((viewer.name, *what))
