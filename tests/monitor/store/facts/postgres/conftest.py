from collections.abc import Iterator

import pytest

from monitor.store.facts.postgres.setup import create
from monitor.store.facts.postgres.writer import PostgresFactWriter
from tests.monitor.clocks import FakeClock


@pytest.fixture
def facts_url(postgres_url: str) -> str:
    """The URL of new, empty facts."""
    create(postgres_url, "store-1")
    return postgres_url


@pytest.fixture
def writer(facts_url: str) -> Iterator[PostgresFactWriter]:
    opened = PostgresFactWriter(facts_url, FakeClock())
    yield opened
    opened.close()
