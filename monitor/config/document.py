"""hookvitals.toml but for `[process]`: sources, endpoints, rules, channels, routes, and how often what runs.

The whole document is stored in control as one numbered version and followed by every process. Secrets in it
are references. It reads no file: `load.py` does.
"""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from alerts.model import Inhibition, Route, Rule, Silence
from alerts.rules import KINDS, default_rules
from monitor.config.channels import ChannelTable
from monitor.config.tables import (
    DrillTable,
    EgressTable,
    EndpointTable,
    EvaluationTable,
    HeartbeatTable,
    IssuesTable,
    MaintenanceTable,
    ProbesTable,
    QueueTable,
    ReplayTable,
    ReportTable,
    RuleTable,
    SloTable,
    SourceTable,
    Table,
)
from monitor.config.telling import FlappingTable, InhibitionTable, RouteTable, WindowTable
from monitor.config.values import SecretRef


class Document(Table):
    """Everything every process follows."""

    sources: tuple[SourceTable, ...] = ()
    endpoints: tuple[EndpointTable, ...] = ()
    queues: tuple[QueueTable, ...] = ()
    rules: tuple[RuleTable, ...] = ()
    channels: tuple[ChannelTable, ...] = ()
    routes: tuple[RouteTable, ...] = ()
    inhibitions: tuple[InhibitionTable, ...] = ()
    maintenance_windows: tuple[WindowTable, ...] = ()
    flapping: FlappingTable = FlappingTable()
    slos: tuple[SloTable, ...] = ()
    egress: EgressTable = EgressTable()
    evaluation: EvaluationTable = EvaluationTable()
    probes: ProbesTable = ProbesTable()
    replay: ReplayTable = ReplayTable()
    report: ReportTable = ReportTable()
    drill: DrillTable = DrillTable()
    heartbeat: HeartbeatTable = HeartbeatTable()
    issues: IssuesTable = IssuesTable()
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

    def effective_inhibitions(self) -> list[Inhibition]:
        """The file's; what is built in comes besides."""
        return [table.inhibition() for table in self.inhibitions]

    def effective_windows(self) -> list[Silence]:
        """The maintenance windows, as silences."""
        return [table.silence() for table in self.maintenance_windows]

    def stated(self) -> dict[str, Any]:
        """What the file says and no more, as plain JSON types: this is what control stores."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def complete(self) -> dict[str, Any]:
        """The same with every default written out."""
        return self.model_dump(mode="json", by_alias=True)

    def secret_variables(self) -> frozenset[str]:
        """The environment variables that the document's references name."""
        return frozenset(ref.env for ref in references(self) if ref.env)


def _is_own(rule: Rule) -> bool:
    return KINDS[rule.kind].on_monitor


def references(table: object) -> list[SecretRef]:
    """Every reference to a secret in a table and what it holds."""
    if isinstance(table, SecretRef):
        return [table]
    if isinstance(table, tuple):
        return [found for item in table for found in references(item)]
    if isinstance(table, BaseModel):
        return [found for name in type(table).model_fields for found in references(getattr(table, name))]
    return []
