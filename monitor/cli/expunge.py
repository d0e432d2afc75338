"""`hookvitals expunge`."""

import click

from monitor.cli.base import Here, pass_here, say
from monitor.cli.stores import opened_desk
from monitor.operations.expunge import expunge as remove
from monitor.store.facts.expunging import Expunge
from monitor.wiring.erasing import opened_eraser
from monitor.wiring.stores import facts_url


@click.command()
@click.argument("source")
@click.argument("event_id")
@click.option("--environment", help="Only in this environment.")
@click.option("--endpoint", help="Only at this endpoint.")
@click.option("--reason", required=True, help="Why, for the audit.")
@click.option("--details", is_flag=True, help="Blank error texts, labels, address and user agent too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_here
def expunge(
    here: Here,
    source: str,
    event_id: str,
    environment: str | None,
    endpoint: str | None,
    reason: str,
    details: bool,
    yes: bool,
) -> None:
    """Remove the captured payload of one event for good; its records and counts stay."""
    if not yes:
        click.confirm(f"Remove what was captured of {source}/{event_id}? It cannot be undone", abort=True)
    wanted = Expunge(source, event_id, environment, endpoint, details)
    settings = here.loaded.settings
    with opened_desk(here) as (desk, actor), opened_eraser(settings) as eraser:
        done = remove(desk, actor, eraser, wanted, reason)
    say(
        f"{source}/{event_id}: captures removed: {done.captures}, copies in dead letters: {done.letters}, "
        f"records changed: {done.records}"
    )
    if facts_url(settings):
        say("PostgreSQL overwrites what was deleted in its own time: its files may hold the sealed bytes on")
    elif not done.is_settled:
        say("a reader keeps the log of the facts: run the same again to be sure that it is emptied")
    say("backups made before still hold it")
