from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control import KINDS, new_control_url
from tests.monitor.replay.world import World, new_world


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Once with control on SQLite, once on PostgreSQL."""
    with new_control_url(request, tmp_path) as url, new_world(tmp_path, url) as found:
        yield found
