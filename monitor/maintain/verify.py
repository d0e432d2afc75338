"""Whether the rollups say what the stored records say, at every grain. It repairs nothing.

Minutes are counted again from the records, an hour of them at a time; hours are then held against their
minutes, days against their hours and `ever` against its days. What is purged cannot be counted again: a chain
begins where its finer link is still kept. Ingest goes on meanwhile: a place that it changes must lie between
what it held before and after.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.clock import from_us, to_us
from monitor.maintain.agreement import between, disagreement, same
from monitor.maintain.waiting import KINDS, Places, Receipt, Waiting, receipts_of
from monitor.model import Grain, SeriesKey
from monitor.queries.stretch import Kept
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader

Ticks = Callable[[int, int], None]
"""Told of hours done and, once, of how many there are."""

MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
RECEIVED_AHEAD_US = 6 * MINUTE_US
"""A record may be received after its own time by 300 s of clocks that differ: the minutes after the floor
may hold receipts of records that are purged."""
FAR_US = to_us(datetime(2200, 1, 1, tzinfo=UTC))
MOST_NAMED = 1000
"""Differences that are kept to be named; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One series in one bucket. what: which part differs; counted: by the finer grain, from the records for
    minutes; stored: by the rollup; both in records, or in deliveries that wait where `what` says so."""

    series: SeriesKey
    grain: Grain
    start_at: datetime
    what: str
    counted: int
    stored: int


@dataclass(slots=True)
class Verified:
    """places: rollups that were compared; records: how many lie in the range.

    moved: places that records reached, or a purge, while they were looked at. differing: how many differ, of
    which the first are in `differences`.
    """

    places: int = 0
    records: int = 0
    moved: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    def differ(self, difference: Difference) -> None:
        self.differing += 1
        if len(self.differences) < MOST_NAMED:
            self.differences.append(difference)


def verify(
    reader: FactReader,
    start_at: datetime,
    end_at: datetime,
    *,
    now: datetime | None = None,
    ticks: Ticks = lambda done, more: None,
) -> Verified:
    """Every rollup of the hours and days that [start_at, end_at) touches, and `ever`, each counted again.

    Reads every record of the range once, and keeps one hour in memory. now: left out, the range ends now.
    """
    return _Check(reader, Kept.of(reader.floor_us(), now or end_at)).run(
        to_us(start_at), to_us(end_at), ticks
    )


class _Check:
    def __init__(self, reader: FactReader, kept: Kept) -> None:
        self._reader = reader
        self._kept = kept
        self._found = Verified()
        self._waiting = Waiting()

    def run(self, start_us: int, end_us: int, ticks: Ticks) -> Verified:
        days = self._stored_days()
        if days:
            start_us = max(_down(start_us, HOUR_US), self._kept.minutes_us, min(days))
            reaches_end, end_us = end_us >= max(days) + DAY_US, min(_up(end_us, HOUR_US), max(days) + DAY_US)
            ticks(0, max(0, end_us - _down(start_us, HOUR_US)) // HOUR_US)
            self._waiting.of_before(self._before(start_us), start_us)
            for hour_us in range(_down(start_us, HOUR_US), end_us, HOUR_US):
                self._minutes(max(hour_us, start_us), hour_us + HOUR_US)
                if hour_us >= self._kept.minutes_us:
                    self._hour(hour_us)
                ticks(1, 0)
            self._still_waiting(start_us, end_us, reaches_end)
            for day_us in days:
                if _down(start_us, DAY_US) <= day_us < end_us and day_us >= self._kept.hours_us:
                    self._day(day_us)
            self._ever()
        self._found.differences.sort(key=lambda one: (one.grain, one.start_at, repr(one.series)))
        return self._found

    def _stored_days(self) -> list[int]:
        """The days that hold anything."""
        roots = [key for key in self._reader.series().values() if key.source is None]
        found = self._reader.rollups(roots, Grain.DAY, 0, FAR_US)
        return sorted({at_us for days in found.values() for at_us in days})

    def _before(self, start_us: int) -> Places:
        first_us = max(start_us - RECEIVED_AHEAD_US, self._kept.minutes_us)
        return self._reader.recorded(first_us, start_us) if first_us < start_us else {}

    def _minutes(self, start_us: int, end_us: int) -> None:
        """The records of an hour, or of the rest of one, against its minutes."""
        before = self._read(Grain.MINUTE, start_us, end_us)
        counted = self._reader.recorded(start_us, end_us)
        self._waiting.add(before, counted)
        inside = {place: rollup for place, rollup in counted.items() if start_us <= place[1] < end_us}
        self._found.records += sum(
            rollup.records() for (key, _), rollup in inside.items() if key.source is None
        )
        self._compare(
            Grain.MINUTE, before, inside, lambda: self._read(Grain.MINUTE, start_us, end_us), but=KINDS.keys()
        )

    def _hour(self, hour_us: int) -> None:
        self._compare(
            Grain.HOUR,
            self._read(Grain.HOUR, hour_us, hour_us + HOUR_US),
            self._read(Grain.MINUTE, hour_us, hour_us + HOUR_US, every=60),
            lambda: self._read(Grain.HOUR, hour_us, hour_us + HOUR_US),
        )

    def _day(self, day_us: int) -> None:
        self._compare(
            Grain.DAY,
            self._read(Grain.DAY, day_us, day_us + DAY_US),
            self._read(Grain.HOUR, day_us, day_us + DAY_US, every=24),
            lambda: self._read(Grain.DAY, day_us, day_us + DAY_US),
        )

    def _ever(self) -> None:
        """Days are never purged: they hold all there ever was."""
        before = self._read_ever()
        summed = self._reader.total(self._keys(), 0, FAR_US)
        self._compare(Grain.EVER, before, {(key, 0): one for key, one in summed.items()}, self._read_ever)

    def _still_waiting(self, start_us: int, end_us: int, reaches_end: bool) -> None:
        """Minutes of receipt that did not come out even: looked at again, as records may have come meanwhile.

        reaches_end: no record lies after the range; else such ones may have been received in it.
        """
        open_ones = {
            receipt
            for receipt, over in self._waiting.left().items()
            if start_us <= receipt[0][1] < end_us and (over > 0 or reaches_end)
        }
        if not open_ones:
            return
        before = self._received(open_ones)
        counted = self._recounted(open_ones, end_us)
        after = self._received(open_ones)
        floor_us = self._reader.floor_us()
        for receipt in open_ones:
            (key, at_us), kind = receipt
            if floor_us and at_us < floor_us + RECEIVED_AHEAD_US:
                continue  # records that were received then may be purged
            least, most = before.get(receipt, 0), after.get(receipt, 0)
            self._found.moved += least != most
            if not least <= counted.get(receipt, 0) <= most:
                self._found.differ(
                    Difference(key, Grain.MINUTE, from_us(at_us), KINDS[kind], counted.get(receipt, 0), most)
                )

    def _received(self, receipts: Collection[Receipt]) -> dict[Receipt, int]:
        """What is stored of them now."""
        times = [at_us for (_, at_us), _ in receipts]
        found: dict[Receipt, int] = {}
        for hour_us in sorted({_down(at_us, HOUR_US) for at_us in times}):
            found |= receipts_of(self._read(Grain.MINUTE, hour_us, hour_us + HOUR_US))
        return {receipt: found[receipt] for receipt in receipts if receipt in found}

    def _recounted(self, receipts: Collection[Receipt], end_us: int) -> dict[Receipt, int]:
        """The same out of every record that may have been received then."""
        first_us = max(min(at_us for (_, at_us), _ in receipts) - RECEIVED_AHEAD_US, self._kept.minutes_us)
        found: dict[Receipt, int] = {}
        for hour_us in range(first_us, end_us, HOUR_US):
            here = receipts_of(self._reader.recorded(hour_us, min(hour_us + HOUR_US, end_us)))
            for receipt in here.keys() & set(receipts):
                found[receipt] = found.get(receipt, 0) + here[receipt]
        return found

    def _compare(
        self,
        grain: Grain,
        before: Places,
        counted: Places,
        again: Callable[[], Places],
        but: Collection[int] = (),
    ) -> None:
        """before: as stored; counted was read after it; again: reads what is stored once more, if need be."""
        places = {*before, *counted}
        self._found.places += len(places)
        wrong = [place for place in places if not same(before.get(place), counted.get(place), but)]
        if not wrong:
            return
        if grain in (Grain.MINUTE, Grain.HOUR) and self._reader.floor_us() > min(at for _, at in wrong):
            self._found.moved += len(wrong)  # purged under our eyes
            return
        after = again()
        for place in wrong:
            old, mid, new = before.get(place), counted.get(place), after.get(place)
            if not same(old, new, but):
                self._found.moved += 1
                if between(old, mid, new, but):
                    continue
            held = new or Rollup()
            self._found.differ(
                Difference(
                    place[0],
                    grain,
                    from_us(place[1]),
                    disagreement(mid or Rollup(), held, but),
                    (mid or Rollup()).records(),
                    held.records(),
                )
            )

    def _read(self, grain: Grain, start_us: int, end_us: int, every: int = 1) -> Places:
        found = self._reader.rollups(self._keys(), grain, start_us, end_us, every)
        return {(key, at_us): one for key, buckets in found.items() for at_us, one in buckets.items()}

    def _read_ever(self) -> Places:
        return {(key, 0): one for key, one in self._reader.ever(self._keys()).items()}

    def _keys(self) -> list[SeriesKey]:
        return list(self._reader.series().values())


def _down(us: int, width_us: int) -> int:
    return us - us % width_us


def _up(us: int, width_us: int) -> int:
    return us + -us % width_us
