"""What was received in each minute, counted less stored: a record may end an event hours after its receipt,
so these two counts of a minute come out even only when all later records were seen. Pure."""

from collections.abc import Mapping

from monitor.model import SeriesKey
from monitor.rollup import STUCK_ACCEPTED, STUCK_FINAL, Rollup

Place = tuple[SeriesKey, int]
"""(series, start of the bucket in microseconds)."""
Places = Mapping[Place, Rollup]
Receipt = tuple[Place, int]
"""(place, STUCK_ACCEPTED or STUCK_FINAL)."""
KINDS = {STUCK_ACCEPTED: "accepted by receipt", STUCK_FINAL: "ended by receipt"}


class Waiting:
    """The balance so far. Only what does not cancel out is kept: receipts whose records are still to come."""

    def __init__(self) -> None:
        self._over: dict[Receipt, int] = {}

    def of_before(self, counted: Places, start_us: int) -> None:
        """What records before the range have received in it."""
        self.add({}, {place: rollup for place, rollup in counted.items() if place[1] >= start_us})

    def add(self, stored: Places, counted: Places) -> None:
        for places, sign in ((counted, 1), (stored, -1)):
            for receipt, n in receipts_of(places).items():
                over = self._over.get(receipt, 0) + sign * n
                if over:
                    self._over[receipt] = over
                else:
                    del self._over[receipt]

    def left(self) -> Mapping[Receipt, int]:
        """Where more (or, below zero, less) was counted than is stored."""
        return self._over


def receipts_of(places: Places) -> dict[Receipt, int]:
    """The two counts of each place, without zeros."""
    return {
        (place, kind): rollup.counts[kind]
        for place, rollup in places.items()
        for kind in KINDS
        if rollup.counts.get(kind)
    }
