"""`hookvitals config check|apply|show`."""

from dataclasses import asdict
from pathlib import Path

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_json
from monitor.cli.stores import opened_control, typist
from monitor.clock import SystemClock
from monitor.config import checked, environment, load_here, placed, secret_key, stored
from monitor.config.settings import DEFAULT_FILE
from monitor.config.toml_file import read_toml
from monitor.errors import Unavailable, WrongSchema
from monitor.seal import Sealer
from monitor.wiring.applying import apply as put_in_force
from monitor.wiring.applying import differences
from monitor.wiring.channels import channel_problems


@click.group(cls=Commands)
def config() -> None:
    """hookvitals.toml: check it, store it, show what is in force."""


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="Neither follow references to secrets nor ask DNS.")
@pass_here
def check(here: Here, file: Path | None, offline: bool) -> None:
    """Say every mistake in the file; change nothing."""
    path = file or here.named or Path(DEFAULT_FILE)
    raw, text = read_toml(path)
    raw.pop("process", None)
    document, problems = checked(raw, path, text)
    if document is not None and not offline:
        found = channel_problems(document, environment())
        problems = [placed(path, text, location, said) for location, said in found]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise OneLine(f"{path} has {_count(problems)}")
    loaded = load_here(path)
    document = loaded.document
    say(
        f"{path} is good: {len(document.effective_rules())} rules, {len(document.channels)} channels, "
        f"{len(document.endpoints)} endpoints"
    )


def _count(problems: list[str]) -> str:
    return "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@pass_here
def apply(here: Here, file: Path | None, dry_run: bool) -> None:
    """Check the file and put it in force; every process follows within seconds."""
    loaded = load_here(file) if file else here.loaded
    if loaded.file is None:
        raise OneLine(f"there is no {DEFAULT_FILE} here; name a file")
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
        say(f"{len(changes)} changes, none applied")
    elif applied.is_new:
        say(f"version {applied.number} is in force, {len(changes)} changes")
    else:
        say(f"version {applied.number} stays in force: nothing changed")


@config.command()
@click.option("--defaults", is_flag=True, help="Write out every default too.")
@pass_here
def show(here: Here, defaults: bool) -> None:
    """Print what is in force, as JSON; secrets are references or masked."""
    loaded = here.loaded
    number, document = 0, loaded.document
    try:
        with opened_control(here) as control:
            latest = control.configs.latest()
        if latest is not None:
            number, document = latest[0], stored(latest[1])
    except WrongSchema:
        click.echo("no store yet: this is what the file says", err=True)
    except Unavailable as exc:
        click.echo(f"{exc.message}; this is what the file says", err=True)
    process = loaded.settings.model_dump(mode="json", exclude_unset=not defaults)
    body = document.complete() if defaults else document.stated()
    rules = {rule.name: asdict(rule) for rule in document.effective_rules()} if defaults else {}
    say_json({"version": number, "process": process, **body, **({"effective_rules": rules} if rules else {})})
