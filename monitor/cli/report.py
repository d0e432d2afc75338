"""`hookvitals report sla`."""

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say
from monitor.cli.stores import opened_facts
from monitor.clock import SystemClock
from monitor.model import DEFAULT_ENVIRONMENT
from monitor.queries.sla import week_before
from monitor.reports.render import FORMS, render
from monitor.reports.weekly import weekly_report
from monitor.wiring.reports import expected_of, objectives_of


@click.group(cls=Commands)
def report() -> None:
    """Reports over a stretch of time."""


@report.command()
@click.option("--week", help="An ISO week such as 2026-W47; the last whole one if left out.")
@click.option("--environment", default=DEFAULT_ENVIRONMENT, show_default=True)
@click.option("--format", "form", type=click.Choice(sorted(FORMS)), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file in place of the screen.")
@pass_here
def sla(here: Here, week: str | None, environment: str, form: str, output: Path | None) -> None:
    """The weekly SLA report of every source and endpoint."""
    document, now = here.loaded.document, SystemClock().now()
    zone = ZoneInfo(document.report.timezone)
    with opened_facts(here) as reader:
        made = weekly_report(
            reader,
            week or week_before(now, zone),
            zone,
            now,
            environment=environment,
            objectives=objectives_of(document),
            expected=expected_of(document),
        )
    text = render(made, form)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as exc:
        raise OneLine(f"{output} cannot be written: {exc.strerror}") from exc
    say(f"wrote the report of {made.week.name} to {output}")
