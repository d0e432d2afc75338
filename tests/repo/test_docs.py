"""The documents say what the code says: decisions match the dependencies, links lead somewhere."""

import re
import tomllib
from pathlib import Path

import msgspec

from monitor.collector.wire import RecordIn
from tests.repo.sources import ROOT
from tests.repo.test_imports import requirement_names

DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "sdk" / "README.md"])


def test_every_direct_dependency_has_its_line_in_the_decision() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (DOCS / "decisions" / "0004-direct-dependencies.md").read_text()

    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package"}

    assert rows == requirement_names(project["dependencies"]) - {"hookvitals"}


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


def _exists(page: Path, target: str) -> bool:
    return (page.parent / target).exists()
