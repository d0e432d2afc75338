"""`hookvitals records tail|show` and `hookvitals stats`."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import click

from monitor.cli.base import Commands, Here, OneLine, cell, pass_here, say, say_json, say_table
from monitor.cli.stores import opened_facts
from monitor.clock import SystemClock
from monitor.config.values import parse_duration
from monitor.model import DEFAULT_ENVIRONMENT, Record
from monitor.queries.events import Search, find, record
from monitor.queries.stats import By, table
from monitor.store.facts.protocol import FactReader

HEADERS = ("TIME", "SOURCE", "ENDPOINT", "TYPE", "EVENT", "OUTCOME", "STATUS", "MS", "ERROR", "RECORD")
FOLLOW_S = 1.0
PAGE = 200


@click.group(cls=Commands)
def records() -> None:
    """Single processing records, as the receivers reported them."""


@records.command()
@click.option("-n", "count", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--environment", help="Only this environment.")
@click.option("--source", help="Only this source.")
@click.option("--follow", is_flag=True, help="Go on with what arrives, until Ctrl-C.")
@pass_here
def tail(here: Here, count: int, environment: str | None, source: str | None, follow: bool) -> None:
    """Print the latest records, oldest first."""
    search = Search(environment=environment, source=source)
    with opened_facts(here) as reader:
        latest = find(reader, search, count).records
        say_table(HEADERS, [_line(one) for one in reversed(latest)], empty="no records yet")
        while follow:
            time.sleep(FOLLOW_S)
            latest = _say_newer(reader, search, latest)


def _say_newer(reader: FactReader, search: Search, seen: Sequence[Record]) -> Sequence[Record]:
    """Prints what came since `seen` and returns the latest page."""
    known = {one.record_id for one in seen}
    latest = find(reader, search, PAGE).records
    for one in reversed(latest):
        if one.record_id not in known:
            say("  ".join(cell(value) for value in _line(one)))
    return latest


def _line(one: Record) -> tuple[object, ...]:
    return (
        one.recorded_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        one.source,
        one.endpoint,
        one.event_type,
        one.event_id,
        one.outcome.value if one.reason is None else f"{one.outcome.value} ({one.reason.value})",
        one.http_status,
        None if one.process_ms is None else f"{one.process_ms:.0f}",
        one.error_class,
        one.record_id,
    )


@records.command()
@click.argument("record_id", type=click.UUID)
@pass_here
def show(here: Here, record_id: UUID) -> None:
    """Print one record whole, as JSON."""
    with opened_facts(here) as reader:
        found = record(reader, record_id)
    if found is None:
        raise OneLine(f"there is no record {record_id} (it may be older than what is kept)")
    say_json({name: getattr(found, name) for name in Record.__slots__})


@click.command()
@click.option("--environment", default=DEFAULT_ENVIRONMENT, show_default=True)
@click.option("--source", help="Only this source.")
@click.option("--endpoint", help="Only this endpoint.")
@click.option(
    "--by",
    type=click.Choice([by.value for by in By]),
    default="event_type",
    show_default=True,
    help="A line each.",
)
@click.option("--over", default="24h", show_default=True, help="How far back, such as 90m or 7d.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@pass_here
def stats(
    here: Here, environment: str, source: str | None, endpoint: str | None, by: str, over: str, form: str
) -> None:
    """Print what was processed, by event type or otherwise: how often, how well, how fast."""
    now, length, kind = SystemClock().now(), duration(over), By(by)
    with opened_facts(here) as reader:
        found = table(reader, environment, now - length, now, kind, source=source, endpoint=endpoint)
    names = (*LABELS[kind], *COUNTS, *TIMES)
    lines = [[_figure(getattr(line, name)) for name in names] for line in found.lines]
    headers = [SHOWN_AS.get(name, name) for name in names]
    if form == "json":
        say_json([dict(zip(headers, line, strict=True)) for line in lines])
        return
    say_table([name.upper() for name in headers], lines, empty=f"no data in the last {over}")
    if found.stretch.rounded_to is not None:
        say(f"from {found.stretch.start_at:%Y-%m-%d %H:%M}Z on, as finer counts are purged there")


LABELS = {
    By.EVENT_TYPE: ("source", "event_type"),
    By.ENDPOINT: ("source", "endpoint"),
    By.SOURCE: ("source",),
    By.ERROR_CLASS: ("source", "error_class"),
    By.OUTCOME: ("outcome",),
}
COUNTS = ("total", "succeeded", "failed")
TIMES = ("avg_ms", "max_ms", "min_ms", "p50_ms", "p95_ms", "p99_ms")
SHOWN_AS = {"event_type": "type"}


def _figure(value: object) -> object:
    return round(value, 1) if isinstance(value, float) else value


def duration(text: str, option: str = "--over") -> timedelta:
    """The length a person wrote; a usage error naming the option for anything else."""
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=option) from exc
