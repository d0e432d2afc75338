"""What the configuration in force says about traffic: known endpoints, good answers, where a rule fires."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.config.document import Document
from monitor.model import SeriesKey
from monitor.reports.sla import Objective


@dataclass(frozen=True, slots=True)
class Catalog:
    """The document of one moment and the endpoints that control knows, asked in the words of the screens."""

    document: Document
    endpoints: Sequence[SeriesKey] = ()

    def registered(self, environment: str) -> list[SeriesKey]:
        """Endpoints to show even when nothing was ever heard of them."""
        return [key for key in self.endpoints if key.environment == environment]

    def environments(self) -> set[str]:
        return {key.environment for key in self.endpoints}

    def expected(self) -> Mapping[str, Collection[int]]:
        """Per source the answers that count as a good acknowledgement; an unlisted source takes every 2xx."""
        return {table.name: table.expected_statuses for table in self.document.sources}

    def error_threshold(self, environment: str) -> float | None:
        """The lowest error rate (0..1) at which a rule for every source fires; None without such a rule."""
        found = [
            rule.threshold
            for rule in self.document.effective_rules()
            if rule.kind == "error_rate"
            and rule.enabled
            and (rule.source, rule.endpoint, rule.event_type) == ("*", "*", "*")
            and fnmatchcase(environment, rule.environment)
        ]
        return min(found, default=None)

    def objectives(self) -> list[Objective]:
        return [
            Objective(table.name, table.objective, table.source, table.endpoint)
            for table in self.document.slos
        ]

    def channels(self) -> list[str]:
        """Names of the channels that alerts can go to."""
        return [table.name for table in self.document.channels]
