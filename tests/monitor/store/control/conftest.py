from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.control import Control
from tests.control import lead, new_control
from tests.monitor.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    found = new_control(tmp_path, clock)
    yield found
    found.close()


@pytest.fixture
def epoch(control: Control) -> int:
    return lead(control)
