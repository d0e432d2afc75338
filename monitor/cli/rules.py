"""`hookvitals rules list|backtest|test`."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from alerts.message import place_of
from alerts.model import Alert, Severity, Transition
from alerts.rules import KINDS
from alerts.wording import measured
from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_table
from monitor.cli.moments import moment
from monitor.cli.stores import opened_control, opened_facts
from monitor.clock import SystemClock
from monitor.config import load_here
from monitor.config.values import duration_text
from monitor.wiring.backtest import chosen, late_minutes, past_of, settings_of
from monitor.wiring.rule_cases import run_cases
from monitor.worker.backtest import WARM_UP, Retold, compare, minutes, retell


@click.group(cls=Commands)
def rules() -> None:
    """What is watched: list the rules, try them on the past, test them."""


@rules.command("list")
@pass_here
def list_(here: Here) -> None:
    """List the rules in force, the shipped ones and the file's."""
    say_table(
        ("NAME", "KIND", "SEVERITY", "THRESHOLD", "WINDOW", "FOR", "SOURCE", "ENDPOINT", "ON"),
        [
            (
                rule.name,
                rule.kind,
                rule.severity.value,
                measured(rule.threshold, KINDS[rule.kind].unit),
                duration_text(rule.window),
                duration_text(rule.for_),
                rule.source,
                rule.endpoint,
                "yes" if rule.enabled else "no",
            )
            for rule in here.loaded.document.effective_rules()
        ],
        empty="no rules",
    )


@rules.command()
@click.option(
    "--from", "start", default="24h", show_default=True, help="2026-11-20, an RFC 3339 time, or 24h."
)
@click.option("--to", "end", help="Until when, in the same forms; now if left out.")
@click.option("--rule", "names", multiple=True, help="Only this rule; may be given several times.")
@click.option("--live", is_flag=True, help="Compare with what the alerts really did.")
@pass_here
def backtest(here: Here, start: str, end: str | None, names: tuple[str, ...], live: bool) -> None:
    """Say what the rules of the file would have told, had they been in force then. Changes nothing."""
    now, document = SystemClock().now(), here.loaded.document
    start_at, end_at = moment(start, now, "--from"), moment(end, now, "--to") if end else now
    if not start_at < min(end_at, now):
        raise OneLine("--from must lie before --to and before now")
    picked = chosen(document, names)
    with opened_control(here) as control, opened_facts(here) as facts:
        past = past_of(document, control, facts, start_at)
        settings = settings_of(document, picked.rules, control)
        steps = sum(1 for _ in minutes(start_at - WARM_UP, min(end_at, now)))
        with _progress(steps) as step:
            retold = retell(settings, past.at, start_at, min(end_at, now), step)
        happened = control.alerts.moves(start_at, min(end_at, now)) if live else []
        late = late_minutes(control, facts, start_at, min(end_at, now)) if live else {}
    for rule in picked.left_out:
        say(f"not judged: {rule.name}, for what it looks at is not stored as it was then")
    _say_retold(retold)
    if live:
        judged = {rule.name for rule in picked.rules}
        _say_difference([(alert, move) for alert, move in happened if alert.rule in judged], retold, late)


@rules.command("test")
@click.argument(
    "cases", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@pass_here
def test_(here: Here, cases: tuple[Path, ...]) -> None:
    """Run made-up traffic through the rules and routes of the file, and hold each CASES file against it."""
    document = load_here(here.named).document
    failed = passed = 0
    for path in cases:
        for name, problems in run_cases(document, path):
            failed, passed = failed + bool(problems), passed + (not problems)
            say(f"{'FAILED' if problems else 'ok    '}  {name}")
            for problem in problems:
                say(f"        {problem}")
    if failed:
        raise OneLine(f"{failed} of {failed + passed} cases failed")
    say(f"{passed} passed")


def _say_retold(retold: Retold) -> None:
    say_table(
        ("AT", "RULE", "WHERE", "SEVERITY", "WHAT", "TOLD", "SAYS"),
        [_line(move.after, move.transition, retold) for move in retold.moves if move.transition is not None],
        empty="no alert would have moved",
    )
    told = len(retold.notifications)
    pages = sum(one.alert.severity is Severity.CRITICAL for one in retold.notifications)
    say(f"{told} messages would have been sent, {pages} of them critical")


def _line(alert: Alert, move: Transition, retold: Retold) -> Sequence[object]:
    told = [
        one.channel
        for one in retold.notifications
        if one.alert.fingerprint == alert.fingerprint and one.created_at == move.at
    ]
    return (
        f"{move.at:%Y-%m-%d %H:%M}Z",
        alert.rule,
        place_of(alert),
        move.severity.value,
        f"{move.from_state.value} → {move.to_state.value}",
        ", ".join(told) or alert.muted_by or "nobody",
        move.summary,
    )


def _say_difference(
    happened: Sequence[tuple[Alert, Transition]], retold: Retold, late: Mapping[datetime, int]
) -> None:
    alerts = {alert.fingerprint: alert for alert, _ in happened}
    alerts |= {move.after.fingerprint: move.after for move in retold.moves}
    found = compare([move for _, move in happened], retold.transitions)
    if not found.only_live and not found.only_retold:
        say(f"the alerts did the same then: {len(happened)} moves, all of them found again")
        return
    for title, moves in (("only then", found.only_live), ("only now", found.only_retold)):
        for move in moves:
            alert = alerts[move.fingerprint]
            states = f"{move.from_state.value} → {move.to_state.value}"
            say(f"{title}: {move.at:%Y-%m-%d %H:%M:%S}Z {alert.rule} at {place_of(alert)}, {states}")
    for minute, records in sorted(late.items()):
        say(f"changed since: {minute:%Y-%m-%d %H:%M}Z, {records} records came late")
    if not late:
        say("no record came late: those rules were judged between the minutes then")


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[datetime], None]]:
    """A bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda at: None
        return
    with click.progressbar(length=steps, label="retelling", file=sys.stderr) as bar:
        yield lambda at: bar.update(1)
