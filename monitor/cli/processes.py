"""`hookvitals collector|worker|dashboard`: one process each, until SIGTERM or Ctrl-C."""

import runpy
import signal
import sys
import threading

import click

from monitor.cli.base import Here, pass_here
from monitor.clock import SystemClock
from monitor.config import adopt, set_up_logs
from monitor.signals import on_signals
from monitor.supervisor.orphan import end_with_parent
from monitor.wiring.collector import run_collector
from monitor.wiring.worker import Signals, run_worker

parent_option = click.option(
    "--parent", type=int, hidden=True, help="End when this process id is no longer the parent's."
)


@click.command()
@parent_option
@pass_here
def collector(here: Here, parent: int | None) -> None:
    """Run the collector alone."""
    settings = here.loaded.settings
    set_up_logs(settings, "collector")
    _watch(parent)
    run_collector(settings)


@click.command()
@parent_option
@pass_here
def worker(here: Here, parent: int | None) -> None:
    """Run the worker alone; SIGHUP makes the one that leads apply the file again."""
    loaded = here.loaded
    set_up_logs(loaded.settings, "worker")
    _watch(parent)
    signals = Signals(threading.Event(), threading.Event())
    on_signals(signals.stop.set, signal.SIGTERM, signal.SIGINT)
    on_signals(signals.again.set, signal.SIGHUP)
    run_worker(loaded, SystemClock(), signals)


@click.command()
@parent_option
@pass_here
def dashboard(here: Here, parent: int | None) -> None:
    """Run the dashboard and the management API alone."""
    loaded = here.loaded  # a mistake in the settings is told of before Dash is loaded
    adopt(loaded.file)
    _watch(parent)
    sys.argv[1:] = []
    # The dashboard puts itself together and imports the monitor, never the other way round.
    runpy.run_module("dashboard", run_name="__main__", alter_sys=True)


def _watch(parent: int | None) -> None:
    if parent is not None:
        end_with_parent(parent)
