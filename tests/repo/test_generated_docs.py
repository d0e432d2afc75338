"""The generated tables of the documentation are current, and its examples of hookvitals.toml are accepted."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from docs.generate import DOCS, current_pages, models_in, renewed
from docs.meanings import MEANINGS, meaning
from monitor.config.cases import CasesFile
from monitor.config.document import Document
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


def tables(model: type[BaseModel] = Document) -> set[type[BaseModel]]:
    """Every table of the file, those within others too."""
    inner = {found for field in model.model_fields.values() for found in models_in(field.annotation)}
    return inner | {deeper for found in inner for deeper in tables(found)}


def test_every_key_of_the_file_has_its_sentence_and_no_sentence_is_left_over() -> None:
    known = {each.__name__: each for table in tables() for each in table.__mro__}
    left_over = [
        f"{name}.{key}"
        for name, keys in MEANINGS.items()
        for key in keys
        if name not in known
        or not any(
            key in {field.alias or each for each, field in table.model_fields.items()}
            for table in tables()
            if issubclass(table, known[name])
        )
    ]
    rows = [
        (key, meaning(table, key))
        for table in tables()
        for key in (field.alias or each for each, field in table.model_fields.items())
    ]
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    lacking = [
        key for key, said in rows if not re.search(rf"`[a-z.]*{key}` \|.*\| {re.escape(said)} \|", page)
    ]

    assert left_over == []
    assert [key for key in lacking if key != "kind"] == []


def test_a_page_without_its_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no marks for settings"):
        renewed("no marks here", "settings", "table")
