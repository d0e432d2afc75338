"""`hookvitals export`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from monitor.cli.base import Here, OneLine, pass_here
from monitor.cli.moments import moment
from monitor.cli.stores import opened_facts
from monitor.clock import SystemClock, to_us
from monitor.maintain.export import Form
from monitor.maintain.export import export as write_out
from monitor.model import Outcome
from monitor.store.facts.protocol import RecordFilter


@click.command()
@click.option("--format", "form", type=click.Choice([form.value for form in Form]), default=Form.NDJSON.value)
@click.option("--since", help="Records from this time on: 2026-11-20, an RFC 3339 time, or 24h (ago).")
@click.option("--until", help="Records before this time, in the same forms.")
@click.option("--environment", help="Only this environment.")
@click.option("--source", help="Only this source.")
@click.option("--endpoint", help="Only this endpoint.")
@click.option("--type", "event_type", help="Only this event type.")
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    help="Only this outcome; may be given several times.",
)
@click.option("--error-class", help="Only this error class.")
@click.option("-o", "--output", default="-", help="The file to write; - is standard output.")
@pass_here
def export(
    here: Here,
    form: str,
    since: str | None,
    until: str | None,
    environment: str | None,
    source: str | None,
    endpoint: str | None,
    event_type: str | None,
    outcomes: tuple[str, ...],
    error_class: str | None,
    output: str,
) -> None:
    """Write every matching record, newest first; never a captured payload."""
    now = SystemClock().now()
    wanted = RecordFilter(
        environment,
        source,
        endpoint,
        event_type,
        [Outcome(outcome) for outcome in outcomes],
        error_class,
        _moment(since, now, "--since"),
        _moment(until, now, "--until"),
    )
    with (
        opened_facts(here) as reader,
        _opened(output) as out,
        _counting(output != "-" or not sys.stdout.isatty()) as told,
    ):
        count = write_out(reader, wanted, Form(form), out, told)
    if output != "-":
        click.echo(f"records written to {output}: {count}", err=True)


def _moment(text: str | None, now: datetime, option: str) -> int | None:
    return None if text is None else to_us(moment(text, now, option))


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """Standard output, or a file for this user alone, which has its name once it is whole."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    file = Path(output)
    unfinished = file.with_name(f".{file.name}.unfinished-{os.getpid()}")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
        unfinished.replace(file)
    except OSError as exc:
        raise OneLine(f"{file} cannot be written: {exc.strerror}") from exc
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _counting(is_elsewhere: bool) -> Iterator[Callable[[int], None]]:
    """How many so far, on standard error, where that is a terminal and the records go elsewhere."""
    if not is_elsewhere or not sys.stderr.isatty():
        yield lambda records: None
        return
    endless: Iterator[None] = iter(lambda: None, 0)  # how many there will be is not known
    with click.progressbar(endless, label="exporting", file=sys.stderr, show_pos=True) as bar:
        yield bar.update
