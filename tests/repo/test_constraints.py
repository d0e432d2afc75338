"""constraints.txt: exact versions of everything, and no word about where they come from."""

import re
import tomllib

from tests.repo.sources import ROOT
from tests.repo.test_imports import requirement_names

LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_line_is_one_name_and_one_version() -> None:
    assert [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = requirement_names(project["dependencies"] + project["optional-dependencies"]["test"])
    pinned = {canonical(line.split("==")[0]) for line in LINES}

    assert {canonical(name) for name in direct} - pinned == {"hookvitals"}


def test_no_tracked_text_names_a_registry() -> None:
    places = [
        ROOT / "pyproject.toml",
        ROOT / "sdk" / "pyproject.toml",
        ROOT / "constraints.txt",
        ROOT / "Makefile",
    ]

    for place in places:
        assert not re.search(r"index-url|find-links|https?://", place.read_text()), place
