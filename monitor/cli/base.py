"""What every command shares: which configuration it works with, how it prints, and how it fails.

A command that cannot do its work ends with one clear line on standard error and a status other than 0.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from alerts.errors import AlertsError
from monitor.config import Loaded, load_here
from monitor.errors import HookvitalsError

FAILED = 1


class OneLine(click.ClickException):
    """An error as `error: what happened (what to do)`."""

    exit_code = FAILED

    def show(self, file: Any = None) -> None:
        click.echo(f"error: {self.message}", err=True)


class Commands(click.Group):
    """A group that turns the product's own errors into one line each."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (HookvitalsError, AlertsError) as exc:
            raise OneLine(str(exc)) from exc


class Here:
    """The configuration of this call, read when a command first asks for it."""

    def __init__(self, file: Path | None) -> None:
        self.named = file

    @cached_property
    def loaded(self) -> Loaded:
        return load_here(self.named)


pass_here = click.make_pass_decorator(Here)


def say(line: str) -> None:
    click.echo(line)


def say_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say_table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Rows in columns as wide as their widest cell; one sentence when there are none."""
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        click.echo(empty)
        return
    widths = [max(len(line[at]) for line in [list(headers), *cells]) for at in range(len(headers))]
    for line in [list(headers), *cells]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def cell(value: object) -> str:
    """A value as it stands in a table: a dash for nothing, and no character that a terminal obeys."""
    if value is None:
        return "-"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))
