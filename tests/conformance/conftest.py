"""What the suite works with; its files' assertions are explained like those of a test file."""

from datetime import timedelta
from pathlib import Path

import pytest

HERE = Path(__file__)
pytest.register_assert_rewrite(
    *(f"tests.conformance.{file.stem}" for file in HERE.parent.glob("*.py") if file != HERE)
)

from monitor.model import Record  # noqa: E402
from tests.facts import NOON, RecordFactory, mixed  # noqa: E402


@pytest.fixture
def make() -> RecordFactory:
    return RecordFactory()


@pytest.fixture
def many() -> list[Record]:
    """600 records of every kind over two days and a bit, some hours empty."""
    day, hour, minute = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
    return [
        *mixed(300, 1, start=NOON - day, over=2 * hour),
        *mixed(200, 2, start=NOON - 90 * minute, over=3 * hour),
        *mixed(100, 3, start=NOON + day, over=minute),
    ]
