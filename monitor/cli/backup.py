"""`hookvitals backup`."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as version_of
from pathlib import Path

import click

from monitor.cli.base import Here, OneLine, pass_here, say
from monitor.clock import SystemClock
from monitor.maintain.backup import Source, Ticks
from monitor.maintain.backup import backup as back_up
from monitor.wiring.copying import control_dumping, facts_dumping, sealing_id, secret_file


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--with-secret", is_flag=True, help="Copy secret.key too, which opens the captured payloads.")
@pass_here
def backup(here: Here, directory: Path, with_secret: bool) -> None:
    """Copy both stores into a new DIRECTORY while everything goes on."""
    settings = here.loaded.settings
    file, sealing = secret_file(settings), sealing_id(settings)
    if with_secret and file is None:
        raise OneLine("the sealing key is a setting, not a file: there is no secret.key to copy")
    if with_secret and sealing is None:
        raise OneLine(f"there is no {file} to copy")
    source = Source(
        facts_dumping(settings),
        control_dumping(settings),
        version_of("hookvitals-server"),
        sealing,
        file if with_secret else None,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing is left behind
    with ticking("copying") as ticks:
        made = back_up(source, directory, SystemClock().now(), ticks)
    facts, control = made.manifest.facts, made.manifest.control
    say(f"{directory}: {facts.rows} rows of facts, {control.rows} of control, {made.bytes / 1e6:.1f} MB")
    if with_secret:
        say("secret.key is in it: whoever holds this backup can read the captured payloads")
    elif sealing is not None:
        say("secret.key is not in it: keep a copy of that elsewhere, or captured payloads cannot be read")


@contextmanager
def ticking(label: str) -> Iterator[Ticks]:
    """A progress bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, more: None
        return
    with click.progressbar(length=0, label=label, file=sys.stderr, show_pos=True) as bar:

        def tick(done: int, more: int) -> None:
            bar.length = (bar.length or 0) + more
            bar.update(done)

        yield tick
