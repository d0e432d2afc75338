"""docs/practices.md claims only what a test shows: every claimed row names tests that exist."""

import ast
from pathlib import Path

import pytest

from tests.repo.sources import ROOT

PAGE = (ROOT / "docs" / "practices.md").read_text(encoding="utf-8")
ROWS = {
    int(cells[0]): cells
    for line in PAGE.splitlines()
    if line.startswith("| ") and (cells := [cell.strip() for cell in line.strip("|").split("|")])[0].isdigit()
}
PLANNED = "planned"


def missing_tests(cell: str, root: Path = ROOT) -> list[str]:
    """The node ids (file::test) of one cell that lead nowhere; a cell without any is missing as a whole."""
    names = [name.strip(" `") for name in cell.split(",")]
    return [name for name in names if not _exists(name, root)]


def _exists(node_id: str, root: Path) -> bool:
    file, _, test = node_id.partition("::")
    path = root / file
    if not (test.startswith("test_") and file.startswith("tests/") and path.is_file()):
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == test for node in ast.walk(tree))


def test_each_practice_has_one_row_of_five_cells() -> None:
    assert sorted(ROWS) == list(range(1, 48))
    assert {len(cells) for cells in ROWS.values()} == {5}


@pytest.mark.parametrize("number", sorted(ROWS))
def test_a_claimed_practice_names_tests_that_exist(number: int) -> None:
    claim = ROWS[number][4]

    assert claim == PLANNED or missing_tests(claim) == []


def test_a_claim_without_a_test_is_seen(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_real.py").write_text("def test_here() -> None:\n    pass\n")

    assert missing_tests("`tests/test_real.py::test_here`", tmp_path) == []
    for claim in (
        "done",
        "",
        "tests/test_real.py",
        "tests/test_real.py::test_gone",
        "tests/no.py::test_here",
    ):
        assert missing_tests(claim, tmp_path) == [claim]
