"""hookvitals.toml but for `[process]`: sources, endpoints, rules, channels, routes, and how often what runs.

The whole document is stored in control as one numbered version and followed by every process. Secrets in it
are references. It reads no file: `load.py` does.
"""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from alerts.model import Route, Rule
from alerts.rules import KINDS, default_rules
from monitor.config.tables import (
    ChannelTable,
    EgressTable,
    EndpointTable,
    EvaluationTable,
    MaintenanceTable,
    ProbesTable,
    ReplayTable,
    ReportTable,
    RouteTable,
    RuleTable,
    SloTable,
    SourceTable,
    Table,
)
from monitor.config.values import SecretRef


class Document(Table):
    """Everything every process follows."""

    sources: tuple[SourceTable, ...] = ()
    endpoints: tuple[EndpointTable, ...] = ()
    rules: tuple[RuleTable, ...] = ()
    channels: tuple[ChannelTable, ...] = ()
    routes: tuple[RouteTable, ...] = ()
    slos: tuple[SloTable, ...] = ()
    egress: EgressTable = EgressTable()
    evaluation: EvaluationTable = EvaluationTable()
    probes: ProbesTable = ProbesTable()
    replay: ReplayTable = ReplayTable()
    report: ReportTable = ReportTable()
    maintenance: MaintenanceTable = MaintenanceTable()

    def effective_rules(self) -> list[Rule]:
        """The shipped rules with the file's in place of those of the same name, then the file's others."""
        rules = {rule.name: (rule, False) for rule in default_rules()}
        for table in self.rules:
            rule = table.rule()
            rules[rule.name] = (rule, table.interval is not None)
        interval = self.evaluation.interval
        return [
            rule if own or interval is None or _is_own(rule) else replace(rule, interval=interval)
            for rule, own in rules.values()
        ]

    def effective_routes(self) -> list[Route]:
        """The file's routes; without any, every alert goes to every channel."""
        if self.routes or not self.channels:
            return [table.route() for table in self.routes]
        return [Route(tuple(channel.name for channel in self.channels))]

    def stated(self) -> dict[str, Any]:
        """What the file says and no more, as plain JSON types: this is what control stores."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def complete(self) -> dict[str, Any]:
        """The same with every default written out."""
        return self.model_dump(mode="json", by_alias=True)

    def secret_variables(self) -> frozenset[str]:
        """The environment variables that the document's references name."""
        return frozenset(ref.env for ref in _references(self) if ref.env)


def _is_own(rule: Rule) -> bool:
    return KINDS[rule.kind].on_monitor


def _references(table: object) -> list[SecretRef]:
    if isinstance(table, SecretRef):
        return [table]
    if isinstance(table, tuple):
        return [found for item in table for found in _references(item)]
    if isinstance(table, BaseModel):
        return [found for name in type(table).model_fields for found in _references(getattr(table, name))]
    return []
