"""SQLite keeps facts as every facts store must."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.store import Store
from tests.conformance.suite import FactsSuite
from tests.facts import sqlite_facts


class TestSqliteFacts(FactsSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with sqlite_facts(tmp_path) as (fill, reader):
            yield Store(fill.writer, reader, fill)
