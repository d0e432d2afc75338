"""`hookvitals facts verify`."""

from datetime import timedelta

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.records import duration
from monitor.cli.stores import opened_facts
from monitor.clock import SystemClock
from monitor.maintain.verify import verify as count_again
from monitor.model import SeriesKey

AHEAD = timedelta(minutes=6)
"""Records up to 300 s ahead are taken, so the range ends after them."""


@click.group(cls=Commands)
def facts() -> None:
    """The facts store."""


@facts.command()
@click.option("--over", default="24h", show_default=True, help="How far back, such as 90m or 7d.")
@pass_here
def verify(here: Here, over: str) -> None:
    """Count every record again and compare with the rollups."""
    now = SystemClock().now()
    with opened_facts(here) as reader:
        found = count_again(reader, now - duration(over), now + AHEAD)
    moved = f" ({found.moved} more were being written to)" if found.moved else ""
    if not found.differences:
        say(f"{found.records} records counted again: all {found.places} rollups agree{moved}")
        return
    say_table(
        ("MINUTE", "SERIES", "RECORDS", "ROLLUP"),
        [
            (one.minute_at, "/".join(_parts(one.series)), one.counted, one.stored)
            for one in found.differences[:20]
        ],
        empty="",
    )
    raise OneLine(f"{len(found.differences)} of {found.places} rollups differ from the records{moved}")


def _parts(series: SeriesKey) -> list[str]:
    parts = (series.environment, series.source, series.endpoint, series.event_type)
    return [part for part in parts if part is not None]
