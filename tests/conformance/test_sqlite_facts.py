"""SQLite keeps facts as every facts store must."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.conformance.store import NewStore, Store
from tests.conformance.suite import FactsSuite
from tests.facts import sqlite_facts


class TestSqliteFacts(FactsSuite):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> NewStore:
        folders = (tmp_path / str(number) for number in count())

        @contextmanager
        def made() -> Iterator[Store]:
            folder = next(folders)
            folder.mkdir()
            with sqlite_facts(folder) as (fill, reader):
                yield Store(reader, fill)

        return made
