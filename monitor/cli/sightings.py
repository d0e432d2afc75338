"""`hookvitals sightings`."""

import click

from alerts.sightings import Aspect
from monitor.cli.base import Here, pass_here, say_table
from monitor.cli.stores import opened_control
from monitor.store.control.sightings import SightingFilter

ASPECTS = {aspect.value.replace(" ", "-").replace("_", "-"): aspect for aspect in Aspect}
"""As they are written on a command line."""
SHOWN = 100


@click.command()
@click.option("--environment", help="Only this environment.")
@click.option("--source", help="Only this source.")
@click.option("--endpoint", help="Only this endpoint.")
@click.option("--aspect", type=click.Choice(sorted(ASPECTS)), help="Only values of this.")
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=SHOWN, show_default=True)
@pass_here
def sightings(
    here: Here,
    environment: str | None,
    source: str | None,
    endpoint: str | None,
    aspect: str | None,
    count: int,
) -> None:
    """List what was seen of senders (types, addresses, secrets, fields), what was new last first."""
    wanted = SightingFilter(environment, source, endpoint, ASPECTS[aspect] if aspect else None)
    with opened_control(here) as control:
        found = control.sightings.page(wanted, count)
    say_table(
        ("WHERE", "WHAT", "VALUE", "FIRST SEEN", "LAST SEEN", "SAMPLE"),
        [
            (
                f"{place.environment}/{place.source}/{place.endpoint}",
                one.aspect.value,
                one.value,
                f"{one.first_at:%Y-%m-%d %H:%M}Z",
                f"{one.last_at:%Y-%m-%d %H:%M}Z",
                one.sample,
            )
            for place, one in found
        ],
        empty="nothing was seen yet; the worker notes it from the records of verified deliveries",
    )
