"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)  # a Monday


class FakeClock:
    """Both clocks together; `move` takes them forward."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.elapsed_s = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed_s

    def move(self, by: timedelta) -> None:
        self.at += by
        self.elapsed_s += by.total_seconds()
