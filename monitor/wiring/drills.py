"""What the document says about the weekly drill, in the drill's own words."""

from zoneinfo import ZoneInfo

from monitor.config import Document
from monitor.worker.drilling import Plan

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def plan_of(document: Document) -> Plan | None:
    """When and to whom; None where no drill is wanted, or nobody could hear it."""
    wanted = document.drill
    if not wanted.enabled or not document.channels:
        return None
    names = [table.name for table in document.channels]
    return Plan(ZoneInfo(wanted.timezone), DAYS.index(wanted.day), wanted.hour, names)
