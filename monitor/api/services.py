"""What the management API is built with. Made by the composition root, which also opens and closes it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from monitor.checklist import Judged
from monitor.clock import Clock
from monitor.model import SeriesKey
from monitor.operations import Desk
from monitor.operations.expunge import Eraser
from monitor.reports.sla import SlaReport
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader

MakeReport = Callable[[str | None, str], SlaReport]
"""The SLA report of (ISO week, or None for the last whole one; environment), as the facts stand now."""
Judge = Callable[[SeriesKey], Sequence[Judged]]
"""What the checklists say of an endpoint now. Raises NotFound for one that is not known."""
OpenEraser = Callable[[], AbstractContextManager[Eraser]]
"""Opens what may change the facts, for one request."""


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every route. desk: what operations work with; report, judge, eraser: asked when wanted."""

    desk: Desk
    report: MakeReport
    judge: Judge
    eraser: OpenEraser

    @property
    def facts(self) -> FactReader:
        return self.desk.facts

    @property
    def control(self) -> Control:
        return self.desk.control

    @property
    def clock(self) -> Clock:
        return self.desk.clock
