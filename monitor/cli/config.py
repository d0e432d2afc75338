"""`hookvitals config check|apply|show|history`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_json
from monitor.cli.stores import opened_control, typist
from monitor.clock import SystemClock
from monitor.config import environment, load, load_here, secret_key, stored
from monitor.config.settings import DEFAULT_FILE
from monitor.errors import Unavailable, WrongSchema
from monitor.seal import Sealer
from monitor.wiring.applying import apply as put_in_force
from monitor.wiring.applying import differences
from monitor.wiring.checking import checked_file


@click.group(cls=Commands)
def config() -> None:
    """hookvitals.toml: check it, store it, show what is in force."""


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="Neither follow references to secrets nor ask DNS.")
@click.option("--strict", is_flag=True, help="Let a warning fail as a mistake does.")
@pass_here
def check(here: Here, file: Path | None, offline: bool, strict: bool) -> None:
    """Say every mistake in the file, and what works and is perhaps not meant; change nothing."""
    path = file or here.named or Path(DEFAULT_FILE)
    found = checked_file(path, environment(), offline=offline)
    for line in found.mistakes:
        click.echo(line, err=True)
    for line in found.warnings:
        click.echo(f"warning: {line}", err=True)
    if found.mistakes:
        raise OneLine(f"{path} has {_count(found.mistakes, 'mistake')}")
    document = load(path, environment()).document
    warned = _count(found.warnings, "warning")
    if strict and found.warnings:
        raise OneLine(f"{path} has {warned}")
    say(
        f"{path} is good: {_count(document.effective_rules(), 'rule')}, "
        f"{_count(document.channels, 'channel')}, {_count(document.endpoints, 'endpoint')}"
        + (f", {warned}" if found.warnings else "")
    )


def _count(lines: Sequence[object], what: str) -> str:
    return f"{len(lines)} {what}" + ("" if len(lines) == 1 else "s")


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option(
    "--offline", is_flag=True, help="Warn of nothing that references to secrets and DNS would show."
)
@pass_here
def apply(here: Here, file: Path | None, dry_run: bool, offline: bool) -> None:
    """Check the file and put it in force; every process follows within seconds."""
    loaded = load_here(file) if file else here.loaded
    if loaded.file is None:
        raise OneLine(f"there is no {DEFAULT_FILE} here; name a file")
    _warn(loaded.file, offline=offline)
    with opened_control(here) as control:
        if dry_run:
            latest = control.configs.latest()
            changes = differences(latest[1] if latest else {}, loaded.document.stated())
        else:
            applied = put_in_force(
                control,
                loaded.document,
                origin=str(loaded.file),
                by=typist(),
                at=SystemClock().now(),
                sealer=Sealer(secret_key(loaded.settings)),
                environ=environment(),
            )
            changes = list(applied.changes)
    for change in changes:
        say(change)
    if dry_run:
        say(f"{_count(changes, 'change')}, none applied")
    elif applied.is_new:
        say(f"version {applied.number} is in force, {_count(changes, 'change')}")
    else:
        say(f"version {applied.number} stays in force: nothing changed")


def _warn(file: Path, *, offline: bool) -> None:
    """Says what `check` says of a file that can be applied. The worker may know secrets and names that this
    shell does not, so even what `check` calls a mistake is a warning here."""
    found = checked_file(file, environment(), offline=offline)
    lines = [*found.mistakes, *found.warnings]
    for line in lines:
        click.echo(f"warning: {line}", err=True)
    if lines:
        click.echo(f"{_count(lines, 'warning')}; nothing is refused for {_them(lines)}", err=True)


def _them(lines: Sequence[object]) -> str:
    return "it" if len(lines) == 1 else "them"


@config.command()
@click.argument("number", required=False, type=click.IntRange(min=1))
@click.option("--defaults", is_flag=True, help="Write out every default too.")
@pass_here
def show(here: Here, number: int | None, defaults: bool) -> None:
    """Print what is in force, or the version NUMBER as it was, as JSON; secrets are references or masked."""
    if number is not None:
        _show_version(here, number)
        return
    loaded = here.loaded
    in_force, document = 0, loaded.document
    try:
        with opened_control(here) as control:
            latest = control.configs.latest()
        if latest is not None:
            in_force, document = latest[0], stored(latest[1])
    except WrongSchema:
        click.echo("no store yet: this is what the file says", err=True)
    except Unavailable as exc:
        click.echo(f"{exc.message}; this is what the file says", err=True)
    process = loaded.settings.model_dump(mode="json", exclude_unset=not defaults)
    body = document.complete() if defaults else document.stated()
    rules = {rule.name: asdict(rule) for rule in document.effective_rules()} if defaults else {}
    shown = {"version": in_force, "process": process, **body}
    say_json({**shown, **({"effective_rules": rules} if rules else {})})


def _show_version(here: Here, number: int) -> None:
    with opened_control(here) as control:
        version = control.configs.version(number)
    if version is None:
        raise OneLine(f"there is no version {number}; see `hookvitals config history`")
    said = {"version": number, "applied_at": version.applied_at.isoformat(), "by": version.applied_by}
    say_json({**said, "origin": version.origin, **version.body})


@config.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@pass_here
def history(here: Here, limit: int) -> None:
    """List the versions there were, newest first, and what each changed."""
    with opened_control(here) as control:
        versions = control.configs.history(limit + 1)
    before: list[Mapping[str, object]] = [*(version.body for version in versions[1:]), {}]
    for version, former in list(zip(versions, before, strict=True))[:limit]:
        say(f"{version.number}  {version.applied_at:%Y-%m-%d %H:%M}Z  {version.applied_by}  {version.origin}")
        for change in differences(former, version.body):
            say(f"    {change}")
    if not versions:
        say("nothing was applied yet")
