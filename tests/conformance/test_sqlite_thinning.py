"""SQLite thins bare rejections as every facts store must."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.store import Store
from tests.conformance.thinning import Thinning
from tests.facts import sqlite_facts


class TestSqliteThinning(Thinning):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with sqlite_facts(tmp_path) as (fill, reader):
            yield Store(reader, fill)
