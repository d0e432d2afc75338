"""`hookvitals endpoint list|put`."""

from dataclasses import replace
from typing import TextIO

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.stores import opened_control, opened_desk
from monitor.model import DEFAULT_ENVIRONMENT
from monitor.operations import endpoints
from monitor.operations.endpoints import EndpointChange
from monitor.store.control.catalog import ProbeSettings


@click.group(cls=Commands)
def endpoint() -> None:
    """Receiving endpoints: where probes and replays go."""


@endpoint.command("list")
@click.option("--environment", help="Only this environment.")
@pass_here
def list_(here: Here, environment: str | None) -> None:
    """List the endpoints that are known, and who declared them."""
    with opened_control(here) as control:
        found = control.catalog.endpoints(environment)
    say_table(
        ("ENVIRONMENT", "SOURCE", "ENDPOINT", "URL", "REPLAY SECRET", "DECLARED BY"),
        [
            (
                one.environment,
                one.source,
                one.name,
                one.url,
                "set" if one.replay_secret else None,
                one.managed_by.value,
            )
            for one in found
        ],
        empty="no endpoints yet; the first verified record of each makes it known",
    )


@endpoint.command()
@click.argument("source")
@click.argument("name")
@click.option("--environment", default=DEFAULT_ENVIRONMENT, show_default=True)
@click.option("--url", help="Where it receives.")
@click.option("--insecure", is_flag=True, help="Plain http:// is meant.")
@click.option("--no-probe", is_flag=True, help="Do not look at it from outside.")
@click.option(
    "--replay-secret-file",
    type=click.File("r"),
    help="A file with the secret that signs replays; - reads standard input.",
)
@pass_here
def put(
    here: Here,
    source: str,
    name: str,
    environment: str,
    url: str | None,
    insecure: bool,
    no_probe: bool,
    replay_secret_file: TextIO | None,
) -> None:
    """Register an endpoint, or change one that the file does not declare."""
    secret = replay_secret_file.read().strip() if replay_secret_file else None
    if replay_secret_file and not secret:
        raise OneLine("the file of the replay secret is empty")
    with opened_desk(here) as (desk, actor):
        known = desk.control.catalog.endpoint(environment, source, name)
        change = EndpointChange(environment, source, name, url or (known.url if known else None))
        probe = replace(known.probe if known else ProbeSettings(), enabled=not no_probe)
        change = replace(change, insecure=insecure, probe=probe, replay_secret=secret)
        endpoints.put(desk, actor, change)
    say(f"{environment}/{source}/{name} is registered" + (f" at {change.url}" if change.url else ""))
