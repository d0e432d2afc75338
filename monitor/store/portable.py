"""Rows on their way from one store to another: what a backup holds, from whichever database and into either.

A row is a sequence in the order of its table's columns, of nothing but None, bool, int, float, str, bytes
and, where a column of control is JSON, lists and dicts. Nothing here reads a store or a file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is carried."""

    name: str
    columns: tuple[str, ...]


class Dump(Protocol):
    """One store in one snapshot, for as long as it is open."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""

    @property
    def schema(self) -> str:
        """The number of the tables it was read from."""

    @property
    def about(self) -> Mapping[str, str | int]:
        """What the store says of itself as one value each."""

    @property
    def tables(self) -> Sequence[Table]:
        """What it carries, in the order in which a store takes it in."""

    def rows(self, table: Table) -> Iterator[Row]:
        """Every row of the table, a few at a time in memory."""

    def estimate(self) -> int:
        """About how many rows all tables hold, for a progress bar."""


class Load(Protocol):
    """A store that is being filled. Until its block ends without an error, nothing of it is there."""

    def load(self, table: Table, rows: Iterable[Row]) -> int:
        """Takes a table in; how many rows it had."""
