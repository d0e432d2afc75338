"""`hookvitals db upgrade` and `hookvitals audit verify`."""

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say
from monitor.cli.stores import opened_control
from monitor.store.control import upgrade as upgrade_control
from monitor.wiring.stores import control_url, make_data_dir, upgrade_facts


@click.group(cls=Commands)
def db() -> None:
    """The two stores."""


@db.command()
@pass_here
def upgrade(here: Here) -> None:
    """Make both stores, or bring them to this version."""
    settings = here.loaded.settings
    make_data_dir(settings)
    place = upgrade_facts(settings)
    before, after = upgrade_control(control_url(settings))
    say(f"facts: {place} is of this version")
    if before == after:
        say(f"control: already at schema {after}")
    else:
        say(f"control: from {'nothing' if before is None else f'schema {before}'} to schema {after}")


@click.group(cls=Commands)
def audit() -> None:
    """Who did what, when and why."""


@audit.command()
@pass_here
def verify(here: Here) -> None:
    """Work the whole chain out again and find the first row that is not what it was."""
    with opened_control(here) as control:
        found = control.audit.verify()
    if found.bad_seq is not None:
        raise OneLine(f"audit row {found.bad_seq}: {found.problem}")
    say(f"{found.rows} audit rows, all as they were written")
