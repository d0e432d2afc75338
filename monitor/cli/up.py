"""`hookvitals up`: everything on this machine."""

import signal
from functools import partial

import click

from monitor.cli.base import Here, pass_here, say
from monitor.clock import SystemClock
from monitor.config import child_environment, set_up_logs
from monitor.signals import on_signals
from monitor.supervisor.commands import commands
from monitor.supervisor.first_start import lines, prepare
from monitor.supervisor.processes import Supervisor


@click.command()
@pass_here
def up(here: Here) -> None:
    """Make the stores ready, then run collector, worker and dashboard until stopped."""
    loaded = here.loaded
    set_up_logs(loaded.settings, "up")
    supervisor = Supervisor(commands(), child_environment(loaded.file), SystemClock())
    on_signals(supervisor.request_stop, signal.SIGTERM, signal.SIGINT)
    on_signals(partial(supervisor.pass_on, "worker", signal.SIGHUP), signal.SIGHUP)
    # a stop that comes from here on waits until what is shown this once is shown
    made = prepare(loaded, SystemClock())
    for line in lines(loaded.settings, made):
        say(line)
    supervisor.run()
    say("stopped")
