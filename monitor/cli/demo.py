"""`hookvitals demo`: the whole product on this machine, with traffic."""

import signal
import threading
from pathlib import Path

import click

from monitor.cli.base import OneLine, say
from monitor.cli.records import duration
from monitor.clock import SystemClock
from monitor.maintain.demo.run import run
from monitor.signals import on_signals


@click.command()
@click.option(
    "--data-dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("hookvitals-demo"),
    show_default=True,
    help="Where everything lies; a former demo there is removed.",
)
@click.option(
    "--for",
    "length",
    help="End once what is promised by then (2m: an alert arrives, 6m: it resolves) has happened; else fail.",
)
def demo(directory: Path, length: str | None) -> None:
    """Run a monitor, a receiver, and providers that send: watch an alert fire, arrive and resolve."""
    stop = threading.Event()
    on_signals(stop.set, signal.SIGTERM, signal.SIGINT)
    for_s = duration(length, "--for").total_seconds() if length else None
    say("starting …")
    promises = run(directory, say, stop, SystemClock(), for_s)
    if for_s is None or stop.is_set():
        return
    broken = [promise.what for promise in promises if promise.within_s <= for_s and not promise.is_kept()]
    if broken:
        raise OneLine(f"the demo did not show that {' and that '.join(broken)}")
