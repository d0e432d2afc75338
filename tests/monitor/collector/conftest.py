from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.collector.fronts import Stand, stand


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Stand]:
    made = stand(tmp_path)
    yield made
    made.store.close()
