"""A store of facts for each test of a query."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import Filled, RecordFactory, sqlite_facts


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Filled, SqliteFactReader]]:
    with sqlite_facts(tmp_path) as both:
        yield both


@pytest.fixture
def fill(opened: tuple[Filled, SqliteFactReader]) -> Filled:
    return opened[0]


@pytest.fixture
def reader(opened: tuple[Filled, SqliteFactReader]) -> SqliteFactReader:
    return opened[1]


@pytest.fixture
def make() -> RecordFactory:
    return RecordFactory()
