"""`hookvitals config check|apply|show`."""

from pathlib import Path

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_json
from monitor.config import checked, load_here
from monitor.config.settings import DEFAULT_FILE
from monitor.config.toml_file import read_toml


@click.group(cls=Commands)
def config() -> None:
    """hookvitals.toml: check it, store it, show what is in force."""


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@pass_here
def check(here: Here, file: Path | None) -> None:
    """Say every mistake in the file; change nothing."""
    path = file or here.named or Path(DEFAULT_FILE)
    raw, text = read_toml(path)
    raw.pop("process", None)
    _, problems = checked(raw, path, text)
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
@click.option("--defaults", is_flag=True, help="Write out every default too.")
@pass_here
def show(here: Here, defaults: bool) -> None:
    """Print what the file says, as JSON; secrets are references, and the process's own are masked."""
    loaded = here.loaded
    document = loaded.document.complete() if defaults else loaded.document.stated()
    process = loaded.settings.model_dump(mode="json", exclude_unset=not defaults)
    say_json({"process": process, **document})
