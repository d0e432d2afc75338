"""What the fault tests share: a way to start collectors that leaves none of them running."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.collector_process import CollectorProcess, starting

Start = Callable[..., CollectorProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as start_one:
        yield start_one
