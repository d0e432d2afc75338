"""What the fault tests share: a way to start collectors that leaves none of them running.

A power cut and a failing disk can only be played where a disk can be mounted. That is a property of the
machine, like its number of cores, not a component that somebody forgot to install: where it cannot be, those
tests are not collected, and the report says so instead of counting a skip.
"""

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.faults.collector_process import CollectorProcess, starting
from tests.faults.power import impossible

Start = Callable[..., CollectorProcess]

collect_ignore = ["test_power_cut.py", "test_disk_fails.py"] if impossible() else []


def pytest_report_collectionfinish(items: Sequence[pytest.Item]) -> list[str]:
    if impossible() and any(item.get_closest_marker("faults") for item in items):
        return [f"not possible here: power cuts and failing disks (tests/faults): {impossible()}"]
    return []


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as start_one:
        yield start_one
