"""The command line: the group that holds every noun, and the options all of them share."""

import platform
import sqlite3
from importlib.metadata import version as version_of
from pathlib import Path

import click

from monitor.cli.alerts import alerts, silence
from monitor.cli.backup import backup
from monitor.cli.base import Commands, Here, say
from monitor.cli.channels import channel
from monitor.cli.clients import clients
from monitor.cli.config import config
from monitor.cli.database import audit, db
from monitor.cli.dead_letters import dead_letters
from monitor.cli.demo import demo
from monitor.cli.doctor import doctor
from monitor.cli.endpoints import endpoint
from monitor.cli.export import export
from monitor.cli.expunge import expunge
from monitor.cli.facts import facts
from monitor.cli.issues import issues
from monitor.cli.keys import key
from monitor.cli.processes import collector, dashboard, worker
from monitor.cli.records import records, stats
from monitor.cli.replays import replay
from monitor.cli.report import report
from monitor.cli.restore import restore
from monitor.cli.rules import rules
from monitor.cli.sightings import sightings
from monitor.cli.up import up
from monitor.cli.users import user


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to read in place of HOOKVITALS_CONFIG or ./hookvitals.toml.",
)
@click.pass_context
def main(ctx: click.Context, file: Path | None) -> None:
    """Hookvitals: the vital signs of your webhooks, measured where they are received."""
    ctx.obj = Here(file)


@main.command()
def version() -> None:
    """Print the versions of Hookvitals, Python and SQLite."""
    say(f"hookvitals {version_of('hookvitals-server')}")
    say(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")


for command in (
    *(up, collector, worker, dashboard, demo),
    *(config, db, key, user, endpoint),
    *(records, stats, clients, alerts, silence, issues, sightings, rules, channel),
    *(dead_letters, replay, report),
    *(facts, audit, doctor),
    *(backup, restore, export, expunge),
):
    main.add_command(command)
