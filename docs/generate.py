"""Writes the tables of the documentation that the code itself knows: settings, rules, routes, commands.

`python docs/generate.py` rewrites the parts between their marks; with `--check` it only says which page is
not current, and exits 1. It reads no setting and opens no store.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel

from alerts.rules import KINDS
from alerts.rules.kind import Reach
from docs.meanings import meaning
from hookvitals.advice import ADVICE
from hookvitals.answers import STATUS_OF
from hookvitals.causes import ADVICE as CAUSE_ADVICE
from hookvitals.profiles import PROFILES
from hookvitals.schemes import SCHEMES
from monitor.api.app import routes
from monitor.cli.main import main as main_group
from monitor.config.__main__ import markdown
from monitor.config.document import Document
from monitor.config.settings import settings_table
from monitor.config.values import SecretRef, duration_text

DOCS = Path(__file__).parent


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table. A bar inside a cell is escaped."""
    lines = [head, ("---",) * len(head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


def settings() -> str:
    return markdown(settings_table())


def file_keys() -> str:
    """Every table of hookvitals.toml below `[process]`, with its keys."""
    parts = []
    for name, field in Document.model_fields.items():
        for model in models_in(field.annotation):
            many = get_origin(field.annotation) is tuple
            title = f"[[{name}]]" if many else f"[{name}]"
            kind = model.model_fields.get("kind")
            choice = get_args(kind.annotation) if kind and get_origin(kind.annotation) is Literal else ()
            own = choice[0] if len(choice) == 1 else ""
            heading = f"`{title}`" + (f' with `kind = "{own}"`' if own else "")
            about = " ".join((model.__doc__ or "").split())
            rows = list(_keys(model, skipped="kind" if own else ""))
            parts.append(
                f"### {heading}\n\n{about}\n\n" + table(("key", "form", "default", "what it is"), rows)
            )
    return "\n".join(parts)


def rules() -> str:
    """Every kind of rule with its shipped values, and what its parameters mean."""
    kinds = table(
        (
            "kind",
            "fires when",
            "severity",
            "threshold",
            "clears at",
            "window",
            "for",
            "looked at each",
            "least sample",
            "no data is",
        ),
        [
            (
                f"[`{kind.name}`](#{kind.name})",
                kind.about,
                kind.defaults.severity.value,
                _in_unit(kind.defaults.threshold, kind.unit),
                _in_unit(kind.defaults.clear_threshold, kind.unit),
                "" if kind.reach is Reach.NONE else duration_text(kind.defaults.window),
                duration_text(kind.defaults.for_),
                duration_text(kind.defaults.interval),
                str(kind.defaults.min_sample),
                kind.defaults.no_data.value,
            )
            for kind in KINDS.values()
        ],
    )
    parameters = table(
        ("kind", "`params`", "as shipped", "values", "meaning"),
        [
            (f"`{kind.name}`", f"`{name}`", f"{kind.defaults.params[name]:g}", each.expected, each.about)
            for kind in KINDS.values()
            for name, each in kind.parameters.items()
        ],
    )
    return f"{kinds}\n{parameters}"


def api_routes() -> str:
    """Every route of the management API and what it needs."""
    rows = [(f"`{method} {path}`", need.value, about) for method, path, need, about in routes()]
    return table(("route", "needs", "what it does"), rows)


def schemes() -> str:
    """Every signature scheme that the SDK verifies."""
    rows = []
    for name, kind in SCHEMES.items():
        stands = f"`{kind.header}`: `{kind.form}`" if kind.header else f"in the body: {kind.form}"
        within = f"{kind.tolerance_s:g} s" if kind.tolerance_s is not None else ""
        needs = f"{kind.keys}; extra `{kind.extra}`" if kind.extra else kind.keys
        signed = f"`{kind.signed}`" if kind.signed.startswith(("{", "v0:")) else kind.signed
        rows.append((f"`{name}`", stands, kind.signature, signed, within, needs))
    return table(
        (
            "scheme",
            "signature",
            "algorithm",
            "what is signed",
            "time within",
            "`secrets` are",
        ),
        rows,
    )


def profiles() -> str:
    """What the SDK takes for each source system unless told otherwise, and where documents leave a doubt."""
    notes = "".join(f"- `{each.name}`: {each.note}\n" for each in PROFILES.values() if each.note)
    rows = table(
        ("name", "answer within", "answered", "clocks differ by", "body", "event id", "type", "orders by"),
        [
            (
                f"`{each.name}`",
                f"{each.ack_deadline_s:g} s",
                str(each.ack_status),
                f"{each.tolerance_s:g} s",
                f"a list in `{each.events_path}`" if each.events_path else each.body,
                f"`{each.id_path}`",
                f"`{each.type_path}`",
                f"`{each.version_path}`" if each.version_path else "",
            )
            for each in PROFILES.values()
        ],
    )
    return f"{rows}\n{notes}"


def refusals() -> str:
    """Every reason for which the SDK answers with an error, and what to do about it."""
    rows = [(f"`{reason}`", str(status), ADVICE[reason]) for reason, status in STATUS_OF.items()]
    return table(("reason", "answered", "what to do"), rows)


def causes() -> str:
    """What the SDK can find behind a signature that did not hold."""
    rows = [(f"`{cause.value}`", *advice) for cause, advice in CAUSE_ADVICE.items()]
    return table(("cause", "what it means", "what to do"), rows)


def commands() -> str:
    """Every command, with its own sentence."""
    found = _commands(main_group, "hookvitals")
    return table(("command", "what it does"), [(f"`{path}`", about) for path, about in found])


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("configuration.md", settings),
    "file": ("configuration.md", file_keys),
    "routes": ("http-api.md", api_routes),
    "schemes": ("sources.md", schemes),
    "profiles": ("sources.md", profiles),
    "refusals": ("causes.md", refusals),
    "causes": ("causes.md", causes),
    "commands": ("cli.md", commands),
    "rules": ("rules.md", rules),
}
"""Name of the mark → (page, what stands there)."""


def renewed(text: str, name: str, body: str) -> str:
    """The page's text with the part between its marks replaced. ValueError when the marks are missing."""
    marks = re.compile(rf"(<!-- {name}: generated -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not marks.search(text):
        raise ValueError(f"the page has no marks for {name}")
    return marks.sub(lambda found: f"{found[1]}\n{body}\n{found[2]}", text)


def current_pages() -> dict[Path, str]:
    """Page → its text with every generated part current."""
    pages: dict[Path, str] = {}
    for name, (page, make) in PARTS.items():
        path = DOCS / page
        pages[path] = renewed(pages.get(path) or path.read_text(encoding="utf-8"), name, make())
    return pages


def main(arguments: list[str]) -> int:
    stale = [path for path, text in current_pages().items() if path.read_text(encoding="utf-8") != text]
    if arguments == ["--check"]:
        sys.stdout.writelines(f"{path} is not current; run: make docs\n" for path in stale)
        return 1 if stale else 0
    for path in stale:
        path.write_text(current_pages()[path], encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
    return 0


def _commands(group: click.Group, prefix: str) -> list[tuple[str, str]]:
    found = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group) and command.invoke_without_command:
            found.append((f"{prefix} {name}", (command.help or "").split("\n\n")[0].replace("\n", " ")))
        if isinstance(command, click.Group):
            found += _commands(command, f"{prefix} {name}")
        elif not command.hidden:
            arguments = [each.make_metavar(click.Context(command)) for each in command.params]
            wanted = [
                text
                for text, each in zip(arguments, command.params, strict=True)
                if isinstance(each, click.Argument)
            ]
            about = (command.help or "").split("\n\n")[0].replace("\n", " ")
            found.append((" ".join([prefix, name, *wanted]), about))
    return found


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The tables that a key of this type holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [] if annotation is SecretRef else [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def _keys(model: type[BaseModel], within: str = "", skipped: str = "") -> Iterator[tuple[str, str, str, str]]:
    """A row each key of the table, those of tables within it after it."""
    for name, field in model.model_fields.items():
        if name != skipped:
            key = field.alias or name
            default = (
                "required" if field.is_required() else _value(field.get_default(call_default_factory=True))
            )
            yield f"`{within}{key}`", _form(field.annotation), default, meaning(model, key)
            for inner in models_in(field.annotation):
                yield from _keys(inner, f"{within}{key}.")


def _form(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _form(inner[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inner)
    if origin in (Union, UnionType):
        return " or ".join(_form(each) for each in inner if each is not type(None))
    if origin is tuple:
        return f"list of {_form(inner[0])}"
    if origin is dict:
        return f"table of {_form(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, SecretRef):
        return '`{ env = "…" }` or `{ file = "…" }`'
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table with " + ", ".join(f"`{key}`" for key in annotation.model_fields)
    return _PLAIN.get(annotation) or ", ".join(f"`{choice.value}`" for choice in annotation)


_PLAIN: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    timedelta: "duration",
    date: "day",
}


def _value(default: Any) -> str:
    if default is None or default in ("", (), {}):
        return ""
    if isinstance(default, timedelta):
        return duration_text(default)
    if isinstance(default, tuple):
        return ", ".join(_value(each) for each in default)
    if isinstance(default, dict):
        return ", ".join(f"{_value(key)} = {_value(each)}" for key, each in default.items())
    return str(default).lower() if isinstance(default, bool) else str(getattr(default, "value", default))


def _in_unit(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "share":
        return f"{100 * value:g} %"
    return f"{value:g} {unit}".strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
