"""The product's own Python files as syntax trees, for tests that judge the repository. Never imports one."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "monitor": ROOT / "monitor",
    "alerts": ROOT / "alerts",
    "dashboard": ROOT / "dashboard",
    "hookvitals": ROOT / "sdk" / "src" / "hookvitals",
}
STANDARD_LIBRARY = frozenset(sys.stdlib_module_names) | {"_typeshed"}


@dataclass(frozen=True)
class Source:
    """One file: `name` is its path inside the repository, `module` its dotted name."""

    path: Path
    module: str

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    def imported(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of every import, wherever it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.lineno, node.module


def sources(*packages: str) -> list[Source]:
    """The files of the packages named, of all when none is; sorted by path."""
    found = []
    for package in packages or PACKAGES:
        root = PACKAGES[package]
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            found.append(Source(path, ".".join(parts)))
    return found
