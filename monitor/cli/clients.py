"""`hookvitals clients`."""

import click

from monitor.cli.base import Here, pass_here, say_table
from monitor.cli.records import duration
from monitor.cli.stores import opened_facts
from monitor.clock import SystemClock
from monitor.queries.health import Client
from monitor.queries.health import clients as heard_of

HEADERS = ("CLIENT", "INSTANCE", "SEEN", "PRODUCED", "STORED", "SPOOLED", "DROPPED", "MISSING", "WHY DROPPED")


@click.command()
@click.option("--over", default="24h", show_default=True, help="Heard of within so long, such as 90m or 7d.")
@pass_here
def clients(here: Here, over: str) -> None:
    """List the SDK instances that send records, and whether all that they made is accounted for.

    MISSING = PRODUCED - STORED - SPOOLED - DROPPED, as of the instance's last report.
    """
    with opened_facts(here) as reader:
        found = heard_of(reader, SystemClock().now(), duration(over))
    say_table(HEADERS, [_line(one) for one in found], empty=f"no client was heard of within {over}")


def _line(one: Client) -> tuple[object, ...]:
    return (
        f"{one.name} {one.version}".strip(),
        one.instance,
        one.seen_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        one.produced,
        one.accepted,
        one.spooled,
        sum(one.dropped.values()),
        one.missing,
        ", ".join(f"{reason} {n}" for reason, n in sorted(one.dropped.items()) if n) or None,
    )
