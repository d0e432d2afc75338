"""SQLite keeps facts as every facts store must."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.facts.sqlite_reader import SqliteFactReader
from monitor.store.facts.sqlite_writer import SqliteFactWriter, create
from tests.conformance.facts_suite import FactsSuite, Store, make, many
from tests.facts import NOON, Filled
from tests.monitor.clocks import FakeClock

__all__ = ["make", "many"]


class TestSqliteFacts(FactsSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        path = tmp_path / "facts.db"
        create(path)
        writer, reader = SqliteFactWriter(path, FakeClock(NOON)), SqliteFactReader(path)
        yield Store(writer, reader, Filled(writer))
        reader.close()
        writer.close()
