"""`hookvitals alerts list|ack|history` and `hookvitals silence create|list|show|expire`."""

import sys
from collections.abc import Sequence
from itertools import islice

import click

from alerts.hours import hours_of
from alerts.message import place_of
from alerts.model import State
from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.moments import moment
from monitor.cli.records import duration
from monitor.cli.stores import opened_control, opened_desk
from monitor.clock import SystemClock
from monitor.config import Document
from monitor.maintain.export import Form, head, lines
from monitor.operations import alerts as operations
from monitor.operations import silences
from monitor.store.control.history import Entry, Line, Wanted

HISTORY = ("TIME", "SEVERITY", "RULE", "WHAT", "WHY")
COLUMNS = tuple(name for name in Line.__slots__ if name != "key")
MOST_SHOWN = 500
FOR_EVER = 9999
"""The year in which maintenance windows end."""
OPEN = (State.PENDING, State.FIRING)
SHOWN = 100


@click.group(cls=Commands)
def alerts() -> None:
    """What is wrong, as the rules see it."""


@alerts.command("list")
@click.option("--all", "every", is_flag=True, help="Those that ended too.")
@pass_here
def list_(here: Here, every: bool) -> None:
    """List the alerts that are pending or firing, the latest change first."""
    with opened_control(here) as control:
        found = control.alerts.page(list(State) if every else list(OPEN), SHOWN)
    say_table(
        ("ID", "STATE", "SEVERITY", "RULE", "WHERE", "SINCE", "TAKEN BY", "QUIET", "WHAT"),
        [
            (
                one.fingerprint[:12],
                one.state.value,
                one.severity.value,
                one.rule,
                place_of(one),
                f"{one.since:%Y-%m-%d %H:%M:%S}Z",
                one.ack.by if one.ack and one.ack.holds(one.last_evaluated_at) else None,
                None if one.muted_by is None else one.muted_by[:18],
                one.evidence.summary,
            )
            for one in found
        ],
        empty="no alerts" if every else "nothing is pending or firing",
    )


@alerts.command()
@click.argument("id")
@click.option("--note", default="", help="What you are doing about it.")
@click.option("--for", "length", help="How long, such as 2h; without it until the alert is over.")
@pass_here
def ack(here: Here, id: str, note: str, length: str | None) -> None:
    """Take a firing alert on: it is neither told again nor escalated. ID: as listed."""
    lasts = None if length is None else duration(length, "--for")
    with opened_desk(here) as (desk, actor):
        matching = [one for one in desk.control.alerts.active() if one.fingerprint.startswith(id)]
        if len(matching) > 1:
            raise OneLine(f"{len(matching)} alerts begin with {id}; write more of it")
        found = operations.acknowledge(desk, actor, matching[0].fingerprint if matching else id, note, lasts)
    until = f" until {found.ack.until:%Y-%m-%d %H:%M}Z" if found.ack and found.ack.until else ""
    say(f"{actor.name} took on {found.rule} at {place_of(found)}{until}")


@alerts.command("history")
@click.option("--since", default="24h", show_default=True, help="From then on: 2026-11-20, or 24h (ago).")
@click.option("--until", help="Before that time, in the same forms.")
@click.option("--rule", help="Only this rule.")
@click.option("--only", type=click.Choice([entry.value for entry in Entry]), help="Only this sort of line.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", *(form.value for form in Form)]),
    default="table",
    show_default=True,
    help="A table for reading, or lines for other programs.",
)
@pass_here
def history(here: Here, since: str, until: str | None, rule: str | None, only: str | None, form: str) -> None:
    """Print what alerts did and who was told, newest first."""
    now = SystemClock().now()
    wanted = Wanted(
        moment(since, now, "--since"),
        None if until is None else moment(until, now, "--until"),
        rule,
        entry=None if only is None else Entry(only),
    )
    with opened_control(here) as control:
        found = control.history.lines(wanted)
        if form == "table":
            say_table(HISTORY, [_history_row(one) for one in islice(found, MOST_SHOWN)], empty="nothing")
            return
        out = sys.stdout.buffer
        out.write(head(COLUMNS, Form(form)))
        while some := list(islice(found, 500)):
            out.write(lines(some, COLUMNS, Form(form)))


def _history_row(one: Line) -> Sequence[object]:
    told = one.entry is Entry.NOTIFICATION
    what = f"{one.channel}: {one.reason}, {one.delivery}" if told else f"{one.from_state} → {one.to_state}"
    return (f"{one.at:%Y-%m-%d %H:%M:%S}Z", one.severity, one.rule, what, one.error or one.summary)


@click.group(cls=Commands)
def silence() -> None:
    """Alerts that nobody is told of for a while."""


@silence.command()
@click.argument("matchers", nargs=-1, required=True)
@click.option("--for", "length", default="2h", show_default=True, help="How long, such as 30m or 7d.")
@click.option("--comment", required=True, help="Why.")
@click.option("--hours", "span", help="Only in these hours of the day, such as 22:00-07:00.")
@click.option("--days", default="", help="With --hours: only on these days, such as mon-fri or sat,sun.")
@click.option("--timezone", default="UTC", show_default=True, help="With --hours: whose clocks.")
@pass_here
def create(
    here: Here,
    matchers: tuple[str, ...],
    length: str,
    comment: str,
    span: str | None,
    days: str,
    timezone: str,
) -> None:
    """Silence alerts whose labels match every MATCHER, such as source=stripe rule=error_*."""
    pairs = [matcher.partition("=") for matcher in matchers]
    if not all(equals and label and pattern for label, equals, pattern in pairs):
        raise OneLine("write each matcher as label=pattern, such as source=stripe")
    try:
        hours = None if span is None else hours_of(span, timezone, days)
    except ValueError as exc:
        raise OneLine(str(exc)) from exc
    now = SystemClock().now()
    with opened_desk(here) as (desk, actor):
        made = silences.create(
            desk,
            actor,
            {label: pattern for label, _, pattern in pairs},
            now,
            now + duration(length, "--for"),
            comment,
            hours,
        )
    only = "" if made.hours is None else f", at {made.hours}"
    say(f"silence {made.id} holds until {made.ends_at:%Y-%m-%d %H:%M:%S}Z{only}")


@silence.command("list")
@click.option("--all", "every", is_flag=True, help="Those that ended too.")
@pass_here
def list_silences(here: Here, every: bool) -> None:
    """List the silences in force and to come, and the maintenance windows of the file."""
    with opened_control(here) as control:
        kept = control.silences
        found = kept.history() if every else kept.current(SystemClock().now())
        stored = control.configs.latest()
        if stored is not None:
            found = [*found, *Document.model_validate(stored[1]).effective_windows()]
        hid = kept.hid(one.id for one in found)
    say_table(
        ("ID", "MATCHERS", "FROM", "UNTIL", "HOURS", "HID", "BY", "WHY"),
        [
            (
                one.id,
                " ".join(f"{label}={pattern}" for label, pattern in sorted(one.matchers.items())),
                f"{one.starts_at:%Y-%m-%d %H:%M}Z",
                f"{one.ends_at:%Y-%m-%d %H:%M}Z" if one.ends_at.year < FOR_EVER else None,
                one.hours,
                hid.get(one.id, 0),
                one.created_by,
                one.comment,
            )
            for one in found
        ],
        empty="no silences",
    )


@silence.command()
@click.argument("id")
@pass_here
def show(here: Here, id: str) -> None:
    """Show what a silence hid. ID: as listed, or the name of a maintenance window."""
    with opened_control(here) as control:
        found = control.silences.hidden(id)
    say_table(
        ("SINCE", "SEVERITY", "RULE", "ALERT", "WHAT"),
        [
            (
                f"{one.at:%Y-%m-%d %H:%M:%S}Z",
                one.severity.value,
                one.rule,
                one.fingerprint[:12],
                one.summary,
            )
            for one in found
        ],
        empty=f"silence {id} has hidden nothing",
    )


@silence.command()
@click.argument("id")
@pass_here
def expire(here: Here, id: str) -> None:
    """End a silence now."""
    with opened_desk(here) as (desk, actor):
        silences.expire(desk, actor, id)
    say(f"silence {id} has ended")
