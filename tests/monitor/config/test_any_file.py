"""Whatever stands in the file, it is read or refused line by line: never a traceback."""

import copy
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from monitor.config.advice import advice
from monitor.config.load import checked, stored
from tests.repo.sources import ROOT

EXAMPLES = [
    tomllib.loads(path.read_text())
    for path in sorted((ROOT / "examples" / "config").glob("*.toml"))
    if not path.name.endswith(".cases.toml")
]
JUNK: list[Any] = [
    *(5, -1, 1.5, True, 10**400, float("inf"), float("nan"), "", "x", "5m", "99999999999d", "[", "2026"),
    *([], {}, [1], [{}], [["a"]], {"a": 1}, {"env": "A"}, [{"name": "x"}]),
]


def spoilt(table: Any, chance: random.Random) -> Any:
    """The table with one value replaced, one key misspelt, or one of either gone."""
    whole = node = copy.deepcopy(table)
    while node:
        key: Any = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
        if isinstance(node[key], dict | list) and chance.random() < 0.65:
            node = node[key]
            continue
        kind = chance.random()
        if kind < 0.6:
            node[key] = chance.choice(JUNK)
        elif kind < 0.8 and isinstance(node, dict):
            node[f"{key}x"] = node.pop(key)
        else:
            del node[key]
        break
    return whole


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_file_is_refused_in_lines_or_can_be_stored(seed: int) -> None:
    chance = random.Random(seed)
    refused = taken = 0
    for _ in range(100):
        raw = chance.choice(EXAMPLES)
        for _ in range(chance.choice((1, 1, 2, 3))):
            raw = spoilt(raw, chance)
        document, problems = checked(raw, Path("hookvitals.toml"), "")
        if document is None:
            refused += 1
            assert problems
            assert not [line for line in problems if not line.startswith("hookvitals.toml: ") or "\n" in line]
        else:
            taken += 1
            assert problems == []
            list(advice(document))
            assert stored(document.stated()) == document
    assert refused > 30
    assert taken > 3
