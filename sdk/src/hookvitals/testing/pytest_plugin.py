"""A fixture for pytest; `pytest_plugins = ["hookvitals.testing.pytest_plugin"]` in conftest turns it on."""

import pytest

from hookvitals.testing import MemoryShipper


@pytest.fixture  # type: ignore[untyped-decorator,unused-ignore]  # pytest's own sources are not read
def hookvitals_shipper() -> MemoryShipper:
    """An empty MemoryShipper, for one test."""
    return MemoryShipper()
