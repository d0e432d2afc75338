"""The monitor itself as its rules see it: from the job table, the outbox, the facts, and their disk."""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from alerts.house import Backlog, House, Instance
from monitor.clock import from_us
from monitor.queries.health import Client, clients
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader

HEARD_BACK = timedelta(days=1)
EVALUATION = "rules"
"""The job whose end is the end of a round."""

Disk = Callable[[], tuple[int, int]]
"""Bytes of the disk of the facts, and how many of them are free."""


def house(
    reader: FactReader, control: Control, now: datetime, budget_bytes: int = 0, disk: Disk | None = None
) -> House:
    """As of now. budget_bytes: 0 without a bound."""
    disk_bytes, free_bytes = (disk or no_disk)()
    return House(
        evaluated_at(control),
        backlogs(control, now),
        reader.used_bytes(),
        budget_bytes,
        disk_bytes,
        free_bytes,
        [_instance(one) for one in clients(reader, now, HEARD_BACK)],
    )


def evaluated_at(control: Control) -> datetime | None:
    """When a round over the rules was last completed."""
    return next((job.succeeded_at for job in control.jobs.all() if job.name == EVALUATION), None)


def backlogs(control: Control, now: datetime) -> Sequence[Backlog]:
    """By channel, what waits in the outbox although its time has come."""
    return [Backlog(*row) for row in control.notifications.overdue(now)]


def disk_of(directory: Path) -> Disk:
    """The disk that holds the directory."""

    def look() -> tuple[int, int]:
        found = shutil.disk_usage(directory)
        return found.used + found.free, found.free

    return look


def no_disk() -> tuple[int, int]:
    """Of facts that are on another machine."""
    return 0, 0


def _instance(one: Client) -> Instance:
    dropped_us = one.state.get("dropped_at_us")
    return Instance(
        one.instance,
        one.seen_at,
        None if one.skew is None else -one.skew,  # told as ours less its own
        one.dropped,
        from_us(dropped_us) if isinstance(dropped_us, int) else None,
        one.missing,
    )
