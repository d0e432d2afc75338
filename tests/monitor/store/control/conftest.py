from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.control import Control
from tests.control import KINDS, lead, new_control, new_control_url
from tests.monitor.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new, empty control store."""
    with new_control_url(request, tmp_path) as found:
        yield found


@pytest.fixture
def control(url: str, clock: FakeClock) -> Iterator[Control]:
    found = Control.open(url, clock)
    yield found
    found.close()


@pytest.fixture
def file_control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    """One on SQLite, for what is true of a file alone."""
    found = new_control(tmp_path, clock)
    yield found
    found.close()


@pytest.fixture
def epoch(control: Control) -> int:
    return lead(control)
