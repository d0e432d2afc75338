"""`hookvitals doctor`."""

import click

from alerts.egress import Egress
from alerts.http import Client
from monitor.cli.base import Here, OneLine, pass_here, say
from monitor.config import environment
from monitor.maintain.doctor import findings, ready, served
from monitor.maintain.finding import Finding

MARKS = {True: "ok  ", False: "BAD ", None: "note"}
EVERYWHERE = ("0.0.0.0/0", "::/0")
"""The monitor's own processes are asked wherever the settings say they are."""


@click.command()
@click.option("--ready", "only_ready", is_flag=True, help="Ask only whether the processes serve.")
@pass_here
def doctor(here: Here, only_ready: bool) -> None:
    """Look at the installation and say what must be mended; change nothing."""
    client, loaded = Client(Egress(EVERYWHERE)), here.loaded
    found: list[Finding]
    if only_ready:
        found = [ready(name, url, client) for name, url in served(loaded).items()]
    else:
        found = list(findings(loaded, environment(), client))
    for finding in found:
        say(f"{MARKS[finding.ok]}  {finding.about}: {finding.said}")
    bad = sum(finding.ok is False for finding in found)
    if bad:
        raise OneLine(f"{bad} of {len(found)} findings must be mended")
