"""`hookvitals key create|list|revoke`."""

import click

from monitor.cli.base import Commands, Here, pass_here, say, say_table
from monitor.cli.stores import opened_desk
from monitor.operations import keys
from monitor.operations.keys import ALL_SCOPES, INGEST


@click.group(cls=Commands)
def key() -> None:
    """API keys: who may send records, and who may ask."""


@key.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, default=[INGEST], show_default=True, type=click.Choice(ALL_SCOPES)
)
@click.option("--source", "sources", multiple=True, help="Bind it to a source; may be given again.")
@click.option("--environment", help="Bind it to an environment.")
@pass_here
def create(
    here: Here, name: str, scopes: tuple[str, ...], sources: tuple[str, ...], environment: str | None
) -> None:
    """Make a key. NAME says who will use it."""
    with opened_desk(here) as (desk, actor):
        made = keys.create(desk, actor, name, scopes, sources, environment)
    say(f"made key {made.key.id} ({', '.join(sorted(made.key.scopes))}); it is shown this once:")
    say(made.token)


@key.command("list")
@pass_here
def list_(here: Here) -> None:
    """List the keys, revoked ones included, without their secrets."""
    with opened_desk(here) as (desk, actor):
        found = keys.listing(desk, actor)
    say_table(
        ("ID", "NAME", "SCOPES", "SOURCES", "ENVIRONMENT", "MADE", "LAST USED", "REVOKED"),
        [
            (
                one.id,
                one.name,
                ",".join(sorted(one.scopes)),
                ",".join(sorted(one.sources)) or "any",
                one.environment or "any",
                f"{one.created_at:%Y-%m-%d}",
                one.last_used_at and f"{one.last_used_at:%Y-%m-%d %H:%M}",
                one.revoked_at and f"{one.revoked_at:%Y-%m-%d %H:%M}",
            )
            for one in found
        ],
        empty="no keys yet",
    )


@key.command()
@click.argument("id")
@pass_here
def revoke(here: Here, id: str) -> None:
    """Refuse a key from now on."""
    with opened_desk(here) as (desk, actor):
        keys.revoke(desk, actor, id)
    say(f"revoked key {id}")
