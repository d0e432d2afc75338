"""The pages' `Reads` over the two stores: every answer as of its own call, nothing kept between calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.model import Observations
from dashboard.data import house, incidents, quiet, readied, records, reports, rules, traffic
from dashboard.data.catalog import Catalog
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
    ReplayLine,
    RulesView,
    ShellView,
    SilencesView,
    StatusView,
)
from monitor.checklist import Judged
from monitor.config.document import Document
from monitor.model import Record, SeriesKey
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader

_ISSUES_OF_AN_ENDPOINT = 5
_OUTAGES_OF_AN_ENDPOINT = 4


@dataclass(frozen=True, slots=True)
class StoreReads:
    """document: the one in force, asked each time. observe: what rules look at.
    judge: the checklists of an endpoint, now.

    paste: what to put into a receiver first. budget_bytes: of the facts, 0 for no bound.
    """

    facts: FactReader
    control: Control
    document: Callable[[], Document]
    observe: Callable[[datetime], Observations]
    judge: Callable[[SeriesKey], Sequence[Judged]]
    paste: str
    version: str
    budget_bytes: int = 0

    def shell(self, environment: str, now: datetime) -> ShellView:
        return house.shell(self.facts, self.control, self._catalog(), environment, now, self.paste)

    def overview(self, scope: Scope, now: datetime) -> OverviewView:
        firing, letters = self._troubles(scope.environment)
        return traffic.overview(self.facts, self._catalog(), scope, now, firing, letters)

    def endpoint(self, scope: Scope, source: str, endpoint: str, now: datetime) -> EndpointView | None:
        firing, letters = self._troubles(scope.environment)
        catalog = self._catalog()
        view = traffic.endpoint(self.facts, catalog, scope, source, endpoint, now, firing, letters)
        if view is None:
            return None
        of_it = scope.bare().with_filters(source=source, endpoint=endpoint)
        place = SeriesKey(scope.environment, source, endpoint)
        return replace(
            view,
            issues=self.issues(of_it, _ISSUES_OF_AN_ENDPOINT, now),
            outages=incidents.outages(
                self.control, self.document().effective_rules(), place, _OUTAGES_OF_AN_ENDPOINT
            ),
        )

    def records(self, scope: Scope, limit: int, before: str | None, now: datetime) -> EventPage:
        return records.page(self.facts, scope, limit, before, now)

    def choices(self, environment: str) -> Choices:
        return traffic.choices(self.facts, environment)

    def event(self, environment: str, source: str, event_id: str) -> Sequence[Record]:
        return records.of_event(self.facts, environment, source, event_id)

    def find_event(self, environment: str, event_id: str) -> Sequence[tuple[str, str]]:
        return records.places(self.facts, environment, event_id)

    def alerts(self, environment: str) -> Sequence[AlertLine]:
        return incidents.alerts(self.control, environment)

    def alert(self, id: str) -> AlertView | None:
        return incidents.alert(self.control, self.facts, id)

    def checklist(self, environment: str, source: str, endpoint: str) -> ChecklistView | None:
        return readied.checklist(self.control, self.judge, SeriesKey(environment, source, endpoint))

    def rules(self, environment: str, now: datetime) -> RulesView:
        found = self.document().effective_rules()
        return rules.rules(self.control, found, self.observe(now), environment, now)

    def issues(self, scope: Scope, limit: int, now: datetime) -> IssuesView:
        return incidents.issues(self.control, scope, limit, now)

    def issue(self, id: str, now: datetime) -> IssueView | None:
        return incidents.issue(self.control, self.facts, id, now)

    def silences(self, chosen: str | None, now: datetime) -> SilencesView:
        return quiet.silences(self.control, self.document().effective_windows(), chosen, now)

    def letters(self, scope: Scope, limit: int) -> LettersView:
        return incidents.letters(self.control, scope, limit)

    def replays(self, limit: int) -> Sequence[ReplayLine]:
        return incidents.replay_lines(self.control, limit)

    def report_weeks(self, now: datetime) -> Sequence[str]:
        return reports.weeks(ZoneInfo(self.document().report.timezone), now)

    def report(self, environment: str, week: str, form: str, now: datetime) -> tuple[str, bytes]:
        return reports.document(self.facts, self._catalog(), environment, week, form, now)

    def status(self, now: datetime) -> StatusView:
        return house.status(self.facts, self.control, self._catalog(), now, self.version, self.budget_bytes)

    def _catalog(self) -> Catalog:
        known = self.control.catalog.endpoints()
        return Catalog(self.document(), [SeriesKey(one.environment, one.source, one.name) for one in known])

    def _troubles(self, environment: str) -> tuple[dict[SeriesKey, int], dict[SeriesKey, int]]:
        return (
            incidents.firing_at(self.control, environment),
            incidents.letters_at(self.control, environment),
        )
