"""The weekly report out of the facts: what the command line, the mail of Monday and the page all call."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.queries.sla import week_facts
from monitor.reports.sla import Objective, SlaReport, Week, sla_report
from monitor.store.facts.protocol import FactReader


def weekly_report(
    reader: FactReader,
    week: str,
    zone: ZoneInfo,
    as_of: datetime,
    *,
    environment: str = "production",
    objectives: Sequence[Objective] = (),
    expected: Mapping[str, Collection[int]] | None = None,
) -> SlaReport:
    """The report of an ISO week such as `2026-W47`, as the facts stand; as_of: the present.

    Raises Unprocessable when `week` is none.
    """
    facts = week_facts(reader, week, zone, environment, now=as_of)
    about = Week(facts.week, facts.zone, facts.environment, facts.start_at, facts.end_at)
    return sla_report(about, facts.totals, facts.probes, as_of, objectives, expected)
