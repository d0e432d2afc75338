from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.replay.world import World, new_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path) as found:
        yield found
