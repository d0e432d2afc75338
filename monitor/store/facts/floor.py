"""How high the floor of the facts should stand, by age and by a budget of bytes. Deletes nothing itself."""

from typing import Protocol

HOUR_US = 3_600_000_000
ROWS_A_STEP = 2_000
"""Records that one step deletes at most: a few milliseconds of the writer's time."""


class Purged(Protocol):
    """What deciding needs of a store, and what carries it out."""

    @property
    def floor_us(self) -> int: ...

    def used_bytes(self) -> int: ...

    def oldest_us(self, skip: int) -> int | None: ...

    def raise_floor(self, floor_us: int, rows: int) -> bool: ...


def floor_by_age(now_us: int, retention_s: int) -> int:
    """The start of the hour before which records are past their retention, at least 0."""
    return max(0, (now_us - retention_s * 1_000_000) // HOUR_US * HOUR_US)


def floor_by_budget(store: Purged, budget_bytes: int, rows: int = ROWS_A_STEP) -> int:
    """A floor under which the oldest `rows` records fall, when the store is over its budget; else 0."""
    if not budget_bytes or store.used_bytes() <= budget_bytes:
        return 0
    oldest_us = store.oldest_us(rows)
    return oldest_us if oldest_us is not None else 0


def step(store: Purged, now_us: int, retention_s: int, budget_bytes: int) -> bool:
    """One bounded step of purging; True when another should follow at once."""
    wanted = max(store.floor_us, floor_by_age(now_us, retention_s), floor_by_budget(store, budget_bytes))
    remain = store.raise_floor(wanted, ROWS_A_STEP)
    return remain or floor_by_budget(store, budget_bytes) > 0
