"""The documents say what the code says: decisions match the dependencies, links lead somewhere."""

import re
import tomllib
from pathlib import Path

import click
import msgspec

from monitor.cli.main import main
from monitor.collector.wire import RecordIn
from tests.repo.sources import ROOT
from tests.repo.test_imports import requirement_names

DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
COMMAND = re.compile(r"(?:^ *|`|/)(hookvitals(?: [a-z][a-z-]*)+)", re.MULTILINE)
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "sdk" / "README.md"])


def test_every_direct_dependency_has_its_line_in_the_decision() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (DOCS / "decisions" / "0004-direct-dependencies.md").read_text()

    extras = {name for name in project["optional-dependencies"] if name not in ("demo", "test")}

    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package"}
    extra_rows = set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))

    assert rows == requirement_names(project["dependencies"]) - {"hookvitals"}
    assert extra_rows == extras


def test_every_field_of_a_record_is_documented() -> None:
    page = (DOCS / "http-api.md").read_text(encoding="utf-8")
    fields = page.split("### Fields of a record")[1].split("\n\\*")[0]

    assert set(re.findall(r"`([a-z_]+)`", fields)) >= {
        field.name for field in msgspec.structs.fields(RecordIn)
    }


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target, _ in LINK.findall(page.read_text(encoding="utf-8"))
        if not target.startswith(("http://", "https://", "mailto:")) and not _exists(page, target)
    ]

    assert broken == []


def test_every_command_in_a_document_is_one_of_the_command_line() -> None:
    unknown = [
        f"{page.relative_to(ROOT)}: {command}"
        for page in PAGES
        for command in COMMAND.findall(page.read_text(encoding="utf-8"))
        if not _is_command(command.split())
    ]

    assert unknown == []


def _is_command(words: list[str]) -> bool:
    """Whether the words, the first of them `hookvitals`, lead through the groups to a command."""
    found: click.Command = main
    for word in words[1:]:
        if not isinstance(found, click.Group):
            return True  # what follows a command are its arguments
        if word not in found.commands:
            return False
        found = found.commands[word]
    return True


def _exists(page: Path, target: str) -> bool:
    return (page.parent / target).exists()
