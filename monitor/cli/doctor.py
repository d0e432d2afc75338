"""`hookvitals doctor` and `hookvitals doctor attest`."""

from collections import Counter
from collections.abc import Collection, Iterator

import click

from alerts.egress import Egress
from alerts.http import Client
from monitor.checklist import ITEMS, Judged, Verdict
from monitor.cli.base import Commands, Here, OneLine, cell, pass_here, say
from monitor.cli.records import duration
from monitor.cli.stores import opened_control, opened_desk, opened_facts
from monitor.clock import SystemClock
from monitor.config import environment as variables
from monitor.errors import HookvitalsError
from monitor.maintain.doctor import findings, ready, served
from monitor.maintain.finding import Finding
from monitor.model import DEFAULT_ENVIRONMENT, SeriesKey
from monitor.operations import attesting
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader
from monitor.wiring.checklist import checklist, checklists

MARKS = {True: "ok  ", False: "BAD ", None: "note"}
EVERYWHERE = ("0.0.0.0/0", "::/0")
"""The monitor's own processes are asked wherever the settings say they are."""
LISTS = tuple(dict.fromkeys(one.list for one in ITEMS))
ANSWERED = (Verdict.PASS, Verdict.ATTESTED)


@click.group(cls=Commands, invoke_without_command=True)
@click.option("--ready", "only_ready", is_flag=True, help="Ask only whether the processes serve.")
@click.option("--endpoint", "name", help="Judge this endpoint by the checklists instead.")
@click.option("--source", help="Of this source, where several have an endpoint of that name.")
@click.option("--environment", default=DEFAULT_ENVIRONMENT, show_default=True, help="Of this environment.")
@click.option(
    "--require",
    multiple=True,
    type=click.Choice(["pass", "attested", *LISTS, *(one.id for one in ITEMS)]),
    metavar="WHAT",
    help="Fail, too, unless every item passes (pass), passes or is attested (attested), or so do those of a"
    " list (orum) or one of them (orum.https). May be given several times.",
)
@click.pass_context
def doctor(
    ctx: click.Context,
    only_ready: bool,
    name: str | None,
    source: str | None,
    environment: str,
    require: tuple[str, ...],
) -> None:
    """Look at the installation, or at one endpoint, and say what must be mended; change nothing."""
    if ctx.invoked_subcommand is not None:
        return
    here: Here = ctx.obj
    if require and name is None:
        raise OneLine("--require asks about an endpoint: name it with --endpoint")
    if name is None:
        _installation(here, only_ready)
        return
    with opened_control(here) as control, opened_facts(here) as facts:
        place = _place(control, environment, source, name)
        found = _judged(here, control, facts, place)
    _say_all(found)
    short = [one for one in found if not _is_enough(one, require)]
    if short:
        names = ", ".join(one.item.id for one in short)
        raise OneLine(f"{len(short)} of {len(found)} items are not as they must be: {names}")


@doctor.command()
@click.argument("item")
@click.option("--endpoint", "name", required=True, help="The endpoint it is true of.")
@click.option("--source", help="Of this source, where several have an endpoint of that name.")
@click.option("--environment", default=DEFAULT_ENVIRONMENT, show_default=True, help="Of this environment.")
@click.option("--note", required=True, help="What was done, and where it can be seen.")
@click.option("--for", "length", default="180d", show_default=True, help="How long it holds, such as 90d.")
@pass_here
def attest(
    here: Here, item: str, name: str, source: str | None, environment: str, note: str, length: str
) -> None:
    """Answer for an item that no record can show, in your name. ITEM: as `doctor --endpoint` prints it."""
    lasts = duration(length, "--for")
    with opened_desk(here) as (desk, actor):
        place = _place(desk.control, environment, source, name)
        one = attesting.attest(desk, actor, place, item, note, lasts)
    until = f"until {one.until:%Y-%m-%d}"
    say(f"{one.by} answers for {item} of {place.source}/{place.endpoint} in {place.environment} {until}")


@doctor.command()
@click.argument("item")
@click.option("--endpoint", "name", required=True, help="The endpoint that somebody answered for.")
@click.option("--source", help="Of this source, where several have an endpoint of that name.")
@click.option("--environment", default=DEFAULT_ENVIRONMENT, show_default=True, help="Of this environment.")
@pass_here
def withdraw(here: Here, item: str, name: str, source: str | None, environment: str) -> None:
    """Take back what somebody answered for. ITEM: as `doctor --endpoint` prints it."""
    with opened_desk(here) as (desk, actor):
        place = _place(desk.control, environment, source, name)
        attesting.withdraw(desk, actor, place, item)
    say(f"nobody answers for {item} of {place.source}/{place.endpoint} in {place.environment} any more")


def _installation(here: Here, only_ready: bool) -> None:
    client, loaded = Client(Egress(EVERYWHERE)), here.loaded
    found: list[Finding]
    if only_ready:
        found = [ready(name, url, client) for name, url in served(loaded).items()]
    else:
        found = [*findings(loaded, variables(), client), *_endpoints(here)]
    for finding in found:
        say(f"{MARKS[finding.ok]}  {finding.about}: {finding.said}")
    bad = sum(finding.ok is False for finding in found)
    if bad:
        raise OneLine(f"{bad} of {len(found)} findings must be mended")


def _endpoints(here: Here) -> Iterator[Finding]:
    """A line an endpoint, where there are stores to look into."""
    try:
        with opened_control(here) as control, opened_facts(here) as facts:
            now, document = SystemClock().now(), here.loaded.document
            for place, found in checklists(facts, control, document, DEFAULT_ENVIRONMENT, now):
                counts = Counter(item.verdict for item in found)
                said = ", ".join(f"{counts[each]} {each.value}" for each in Verdict if counts[each])
                about = f"checklists of {place.source}/{place.endpoint}"
                yield Finding(None, about, f"{said}; see `hookvitals doctor --endpoint {place.endpoint}`")
    except HookvitalsError:
        return  # what is wrong with the stores is said by the findings before


def _place(control: Control, environment: str, source: str | None, name: str) -> SeriesKey:
    found = [
        one
        for one in control.catalog.endpoints(environment)
        if one.name == name and source in (None, one.source)
    ]
    if len(found) > 1:
        raise OneLine(f"{len(found)} sources have an endpoint {name}; name one with --source")
    if not found:
        raise OneLine(f"there is no endpoint {name} in {environment} (`hookvitals endpoint list` shows them)")
    return SeriesKey(*found[0].key)


def _judged(here: Here, control: Control, facts: FactReader, place: SeriesKey) -> list[Judged]:
    return checklist(facts, control, here.loaded.document, place, SystemClock().now())


def _say_all(found: list[Judged]) -> None:
    group = ""
    for one in found:
        if one.item.group != group:
            group = one.item.group
            say(f"{one.item.list}, {group}")
        say(f"  {one.verdict.value:<15}  {one.item.id:<20}  {one.item.asks}  {cell(one.said)}")


def _is_enough(one: Judged, require: Collection[str]) -> bool:
    """What fails is never enough; the rest as it was asked for."""
    if one.verdict is Verdict.FAIL or ("pass" in require and one.verdict is not Verdict.PASS):
        return False
    asked = not {"attested", one.item.list, one.item.id}.isdisjoint(require)
    return one.verdict in ANSWERED or not asked
