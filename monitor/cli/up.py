"""`hookvitals up`: everything on this machine."""

import signal

import click

from monitor.cli.base import Here, pass_here, say
from monitor.clock import SystemClock
from monitor.config import child_environment, set_up_logs
from monitor.supervisor.commands import commands
from monitor.supervisor.first_start import lines, prepare
from monitor.supervisor.processes import Supervisor


@click.command()
@pass_here
def up(here: Here) -> None:
    """Make the stores ready, then run collector, worker and dashboard until stopped."""
    loaded = here.loaded
    set_up_logs(loaded.settings, "up")
    made = prepare(loaded, SystemClock())
    for line in lines(loaded.settings, made):
        say(line)
    supervisor = Supervisor(commands(), child_environment(loaded.file), SystemClock())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.request_stop())
    signal.signal(signal.SIGHUP, lambda *_: supervisor.pass_on("worker", signal.SIGHUP))
    supervisor.run()
    say("stopped")
