"""The generated tables of the documentation are current, and its examples of hookvitals.toml are accepted."""

import re
import tomllib
from pathlib import Path

import pytest

from docs.generate import DOCS, current_pages, renewed
from monitor.config.cases import CasesFile
from monitor.config.load import checked, validated

EXAMPLES = [
    (page.name, example)
    for page in sorted(DOCS.glob("*.md"))
    for example in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


def test_every_generated_table_is_current() -> None:
    stale = [path.name for path, text in current_pages().items() if path.read_text(encoding="utf-8") != text]

    assert stale == [], "run: make docs"


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_an_example_of_the_file_is_accepted(page: str, example: str) -> None:
    raw = tomllib.loads(example)
    raw.pop("process", None)

    if "cases" in raw:
        _, problems = validated(CasesFile, raw, Path(page), example)
    else:
        _, problems = checked(raw, Path(page), example)

    assert problems == []


def test_a_page_without_its_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no marks for settings"):
        renewed("no marks here", "settings", "table")
