"""What the SDK's tests share: a collector on loopback and receivers that report to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.collector import collecting
from tests.sdk.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with collecting() as (collector, url):
        made = World(collector, url, tmp_path)
        yield made
        made.close()
