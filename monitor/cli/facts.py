"""`hookvitals facts verify`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.records import duration
from monitor.cli.stores import opened_facts
from monitor.clock import EPOCH, SystemClock
from monitor.maintain.verify import Ticks
from monitor.maintain.verify import verify as count_again
from monitor.model import SeriesKey

AHEAD = timedelta(minutes=6)
"""Records up to 300 s ahead are taken, so the range ends after them."""
SHOWN = 20


@click.group(cls=Commands)
def facts() -> None:
    """The facts store."""


@facts.command()
@click.option("--over", default="24h", show_default=True, help="How far back, such as 90m or 7d.")
@click.option("--all", "everything", is_flag=True, help="All that is stored, however long it takes.")
@pass_here
def verify(here: Here, over: str, everything: bool) -> None:
    """Count every record again and compare with the rollups, from minutes to ever."""
    now = SystemClock().now()
    start_at = EPOCH if everything else now - duration(over)
    with opened_facts(here) as reader, _ticking() as ticks:
        found = count_again(reader, start_at, now + AHEAD, ticks=ticks)
    moved = f" ({found.moved} more were being written to)" if found.moved else ""
    if not found.differing:
        say(f"{found.records} records counted again: all {found.places} rollups agree{moved}")
        return
    say_table(
        ("GRAIN", "START", "SERIES", "WHAT", "COUNTED", "STORED"),
        [
            (
                one.grain.name.lower(),
                f"{one.start_at:%Y-%m-%d %H:%M}Z",
                "/".join(_parts(one.series)),
                one.what,
                one.counted,
                one.stored,
            )
            for one in found.differences[:SHOWN]
        ],
        empty="",
    )
    raise OneLine(f"{found.differing} of {found.places} rollups differ from the records{moved}")


@contextmanager
def _ticking() -> Iterator[Ticks]:
    """A bar of hours on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, more: None
        return
    with click.progressbar(length=0, label="counting", file=sys.stderr, show_pos=True) as bar:

        def tick(done: int, more: int) -> None:
            bar.length = (bar.length or 0) + more
            bar.update(done)

        yield tick


def _parts(series: SeriesKey) -> list[str]:
    parts = (series.environment, series.source, series.endpoint, series.event_type)
    return [part for part in parts if part is not None]
