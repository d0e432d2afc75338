"""`hookvitals restore`."""

from functools import partial
from pathlib import Path

import click

from monitor.cli.backup import ticking
from monitor.cli.base import Here, pass_here, say
from monitor.cli.stores import typist
from monitor.clock import SystemClock
from monitor.maintain.restore import Target
from monitor.maintain.restore import restore as bring_back
from monitor.wiring import copying


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@pass_here
def restore(here: Here, directory: Path) -> None:
    """Fill two new stores from the backup in DIRECTORY; nothing may run meanwhile."""
    settings, clock = here.loaded.settings, SystemClock()
    target = Target(
        facts=partial(copying.facts_loading, settings, clock),
        control=partial(copying.control_loading, settings),
        require_empty=partial(copying.require_empty, settings),
        facts_tables=copying.FACTS_TABLES,
        control_tables=copying.CONTROL_TABLES,
        control_schema=copying.control_schema(),
        secret=copying.secret_file(settings),
        secret_id=copying.sealing_id(settings),
    )
    with ticking("restoring") as ticks:
        done = bring_back(directory, target, clock.now(), typist(), ticks)
    facts, control = done.manifest.facts, done.manifest.control
    say(f"restored {facts.rows} rows of facts and {control.rows} of control, as of {done.manifest.made_at}")
    for id in done.paused_replays:
        say(f"replay {id} was running and is paused: look at it, then `hookvitals replay resume {id}`")
    if done.readable is False:
        say("the key that sealed the captured payloads is not here: put its secret.key into data_dir")
    say("keys and users are as they were then: revoke again what was revoked since")
