"""`hookvitals replay plan|start|status|pause|resume|cancel`."""

from collections.abc import Callable
from typing import Any

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.stores import opened_control, opened_desk
from monitor.dead_letters import ItemState, LetterFilter, LetterState, Replay
from monitor.operations import replays as operations
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.replay.plan import Plan
from monitor.store.control import Control

MOST = 10_000
SHOWN = 20


@click.group(cls=Commands)
def replay() -> None:
    """Send dead letters to their endpoints again."""


def letters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose letters."""
    options = (
        click.argument("ids", nargs=-1),
        click.option("--all", "every", is_flag=True, help="Every open dead letter."),
        click.option("--source", help="With --all: only this source."),
        click.option("--per-second", type=float, help="Events a second to one endpoint."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _chosen(control: Control, ids: tuple[str, ...], every: bool, source: str | None) -> list[str]:
    if bool(ids) == every:
        raise OneLine("name dead letters by id, or choose --all")
    if ids:
        return list(ids)
    wanted = LetterFilter(source=source, states=(LetterState.OPEN,))
    return [letter.id for letter in control.letters.page(wanted, MOST)]


@replay.command()
@letters
@pass_here
def plan(here: Here, ids: tuple[str, ...], every: bool, source: str | None, per_second: float | None) -> None:
    """Say what a replay would send and what it would leave out; change nothing."""
    with opened_desk(here) as (desk, actor):
        chosen = _chosen(desk.control, ids, every, source)
        if not chosen:
            say("no open dead letters: nothing to replay")
            return
        made = operations.plan(desk, actor, chosen, per_second)
    for line in _sentences(made):
        say(line)


def _sentences(made: Plan) -> list[str]:
    first = (
        f"{len(made.to_send)} of {made.letters} letters would be sent, {made.body_bytes} bytes, "
        f"in {made.duration.total_seconds():.0f} s at {made.per_second:g} a second"
    )
    return [first, *(f"{count} left out, {why.value}: {why.hint}" for why, count in made.refusals)]


@replay.command()
@letters
@click.option("--reason", required=True, help="Why, for the audit.")
@pass_here
def start(
    here: Here,
    ids: tuple[str, ...],
    every: bool,
    source: str | None,
    per_second: float | None,
    reason: str,
) -> None:
    """Start a replay; the worker sends it."""
    with opened_desk(here) as (desk, actor):
        chosen = _chosen(desk.control, ids, every, source)
        made = operations.start(desk, actor, chosen, reason, per_second)
    say(f"started replay {made.id}; follow it with: hookvitals replay status {made.id}")


@replay.command()
@click.argument("id", required=False)
@pass_here
def status(here: Here, id: str | None) -> None:
    """Say how one replay fares, or the latest ones."""
    with opened_control(here) as control:
        found = [control.replays.get(id)] if id else list(control.replays.page(SHOWN))
        known = [one for one in found if one is not None]
        counts = control.replays.counts([one.id for one in known])
        items = control.replays.items(id, [ItemState.FAILED, ItemState.UNCONFIRMED], SHOWN) if id else []
    if id and not known:
        raise OneLine(f"there is no replay {id} (`hookvitals replay status` lists them)")
    say_table(
        ("REPLAY", "STATE", "BY", "STARTED", *(state.value.upper() for state in ItemState), "WHY"),
        [_row(one, [counts.get(one.id, {}).get(state, 0) for state in ItemState]) for one in known],
        empty="no replays yet",
    )
    for item in items:
        say(f"{item.key.event_id}: {item.state.value}: {item.reason}")


def _row(one: Replay, counts: list[int]) -> tuple[object, ...]:
    why = f"{one.reason} [{one.state_reason}]" if one.state_reason else one.reason
    return (one.id, one.state.value, one.created_by, f"{one.created_at:%Y-%m-%d %H:%M:%S}Z", *counts, why)


Steer = Callable[[Desk, Actor, str, str], None]


def _steering(name: str, done: str, steer: Steer, sentence: str) -> None:
    @replay.command(name, help=sentence)
    @click.argument("id")
    @click.option("--reason", default="", help="Why, for the audit.")
    @pass_here
    def command(here: Here, id: str, reason: str) -> None:
        with opened_desk(here) as (desk, actor):
            steer(desk, actor, id, reason)
        say(f"{done} replay {id}")


_steering("pause", "paused", operations.pause, "Send no more until it is resumed.")
_steering("resume", "resumed", operations.resume, "Go on with a paused or stopped replay.")
_steering("cancel", "cancelled", operations.cancel, "End a replay; what was not sent is skipped.")
