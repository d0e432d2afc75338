"""`hookvitals issues list|resolve`."""

import click

from alerts.issues import IssueState
from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.stores import opened_control, opened_desk
from monitor.clock import SystemClock
from monitor.operations import issues as operations
from monitor.store.control.issues import IssueFilter

OPEN = (IssueState.NEW, IssueState.REGRESSED, IssueState.ONGOING)
SHOWN = 100


@click.group(cls=Commands)
def issues() -> None:
    """Failures of the same kind, folded into one."""


@issues.command("list")
@click.option("--environment", help="Only this environment.")
@click.option("--source", help="Only this source.")
@click.option("--endpoint", help="Only this endpoint.")
@click.option("--all", "every", is_flag=True, help="Those that are resolved too.")
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=SHOWN, show_default=True)
@pass_here
def list_(
    here: Here, environment: str | None, source: str | None, endpoint: str | None, every: bool, count: int
) -> None:
    """List issues, the last seen first."""
    wanted = IssueFilter(environment, source, endpoint, () if every else OPEN)
    now = SystemClock().now()
    with opened_control(here) as control:
        found = control.issues.page(wanted, now, count)
    say_table(
        ("ID", "STATE", "WHERE", "TYPE", "ERROR", "SAYS", "FAILURES", "FIRST SEEN", "LAST SEEN"),
        [
            (
                one.kin.id[:12],
                one.state(now).value,
                f"{one.kin.source}/{one.kin.endpoint}",
                one.kin.event_type,
                one.kin.error_class,
                one.kin.message,
                one.failures,
                f"{one.first_seen_at:%Y-%m-%d %H:%M}Z",
                f"{one.last_seen_at:%Y-%m-%d %H:%M}Z",
            )
            for one in found
        ],
        empty="no issues" if every else "no open issues",
    )


@issues.command()
@click.argument("id")
@pass_here
def resolve(here: Here, id: str) -> None:
    """End an issue: it comes back, as regressed, when it fails again. ID: as listed."""
    with opened_desk(here) as (desk, actor):
        matching = desk.control.issues.beginning(id)
        if len(matching) > 1:
            raise OneLine(f"{len(matching)} issues begin with {id}; write more of it")
        ended = operations.resolve(desk, actor, matching[0] if matching else id)
    kin = ended.kin
    say(f"{actor.name} resolved {kin.error_class} of {kin.event_type} at {kin.source}/{kin.endpoint}")
