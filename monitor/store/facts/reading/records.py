"""Single records, one event, captures and the feed of one snapshot, and the count of all records anew."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from monitor.model import Record, SeriesKey
from monitor.rollup import Buckets, Rollup, combined, fold, rollups
from monitor.store.facts.protocol import FeedRow
from monitor.store.facts.reading.rollups import levels
from monitor.store.facts.reading.series import KnownNames, NameTable, Series
from monitor.store.facts.record_rows import MINUTE_US, Row, deltas_of, event_id_of, record_of
from monitor.store.facts.rollup_rows import Packed, buckets_of

CaptureKey = tuple[int, str]
"""(endpoint code, event id)."""


class RecordTable(Protocol):
    """The records of one snapshot, and what lies beside them."""

    def row(self, record_id: bytes) -> Row | None: ...

    def of_event(self, event_id: str) -> list[Row]:
        """Rows of every record with this event id, oldest first, whatever its source."""

    def captures(self, keys: Sequence[CaptureKey]) -> Mapping[CaptureKey, tuple[bytes, bool]]:
        """(sealed, redacted) of those of `keys` that there are."""

    def fed(self, xid: int, seq: int, limit: int) -> list[tuple[int, int, int, Row]]:
        """(xid, seq, how many it stands for, row) of at most `limit` records after the mark that no open
        transaction can still precede, in order; records that were purged are passed over."""

    def within(self, start_us: int, end_us: int) -> Iterator[Sequence[Row]]:
        """All rows recorded or received in the range, some thousands at a time, in any order.

        No index sorts the time of receipt: every row is looked at.
        """

    def recorded(self, start_us: int, end_us: int) -> Iterator[Sequence[Row]]:
        """All rows recorded in the range, some thousands at a time, by their key."""

    def thinned(self, start: int, end: int) -> Sequence[Packed]:
        """What was thinned in minutes of [start, end) since 1970: minute rollups of routes."""


def records_of(names: NameTable, known: KnownNames, rows: Sequence[Row]) -> list[Record]:
    """The Records of rows, in their order."""
    series = known.series(names)
    errors = known.errors(names, {row[6] for row in rows if row[6]})
    return [record_of(row, series.keys[row[1]], errors.get(row[6])) for row in rows]


def feed_of(
    table: RecordTable, names: NameTable, known: KnownNames, mark: tuple[int, int], limit: int
) -> list[FeedRow]:
    """At most `limit` feed rows after `mark`, in order, each with the capture of its event."""
    marks = table.fed(*mark, limit)
    rows = [mark[-1] for mark in marks]
    parents = known.series(names).parents
    keys: list[CaptureKey | None] = []
    for row in rows:
        event_id = event_id_of(row)
        keys.append(None if event_id is None else (parents[row[1]], event_id))
    captures = table.captures(list({key for key in keys if key is not None}))
    kept = [captures.get(key) if key else None for key in keys]
    records = records_of(names, known, rows)
    return [
        FeedRow(xid, seq, stands_for, record, capture and capture[0], bool(capture and capture[1]))
        for (xid, seq, stands_for, _), record, capture in zip(marks, records, kept, strict=True)
    ]


def recount(
    table: RecordTable, series: Series, start_us: int, end_us: int
) -> Mapping[tuple[SeriesKey, int], Rollup]:
    """Minute rollups of every series in the range, from the records themselves and what was thinned of them.

    A record counts by its own minute and by its minute of receipt.
    """
    first, end = -(-start_us // MINUTE_US), -(-end_us // MINUTE_US)
    rows = table.within(first * MINUTE_US, end * MINUTE_US)
    counted = _counted(rows, table.thinned(first, end), series)
    return {
        place: rollup for place, rollup in counted.items() if first * MINUTE_US <= place[1] < end * MINUTE_US
    }


def recorded(
    table: RecordTable, series: Series, start_us: int, end_us: int
) -> Mapping[tuple[SeriesKey, int], Rollup]:
    """The same of what was recorded in the range, wherever in time it was received."""
    first, end = -(-start_us // MINUTE_US), -(-end_us // MINUTE_US)
    rows = table.recorded(first * MINUTE_US, end * MINUTE_US)
    return _counted(rows, table.thinned(first, end), series)


def _counted(
    rows: Iterator[Sequence[Row]], thinned: Sequence[Packed], series: Series
) -> Mapping[tuple[SeriesKey, int], Rollup]:
    folded: list[Buckets] = [fold(deltas_of(some)) for some in rows]
    if thinned:
        folded.append(buckets_of(thinned))
    if not folded:
        return {}
    whole = combined(levels(combined(folded), series))
    return {
        (series.keys[code], start * MINUTE_US): rollup for (code, start), rollup in rollups(whole).items()
    }
