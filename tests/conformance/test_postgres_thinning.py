"""PostgreSQL thins bare rejections as every facts store must."""

from collections.abc import Iterator

import pytest

from monitor.store.facts.postgres.setup import create
from tests.conformance.store import Store
from tests.conformance.thinning import Thinning
from tests.postgres_facts import postgres_facts

pytestmark = pytest.mark.postgres


class TestPostgresThinning(Thinning):
    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[Store]:
        create(postgres_url)
        with postgres_facts(postgres_url) as (fill, reader):
            yield Store(reader, fill)
