"""Records folded into rollups: minute, hour, day and ever, for an environment, source, endpoint and type.

A *delta* is the few numbers of each inserted record that rollups need (DELTA, one array item a record).
`fold` turns deltas into Buckets; Buckets merge by addition, so the order and the grouping of deltas never
matter. Everything additive is a sparse vector (monitor.sparse). Pure: no store, no clock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.histogram import Distribution, bins_of
from monitor.model import ATTEMPTS, OUTCOMES, REASONS, Duration, Grain, Outcome, Reason
from monitor.sparse import Ints, Sheet, joined, reduced

ABSENT = -1  # a duration that was not reported

REPLAY, CANARY, HAS_EVENT, AGAIN, SKEWED = 1, 2, 4, 8, 16
"""Bits of DELTA.flags. AGAIN: not the first attempt; SKEWED: signed more than SKEW_US from its receipt."""
SKEW_US = 30_000_000

DELTA = np.dtype(
    [
        ("record_id", "V16"),
        ("durations", "<i8", (len(Duration),)),  # microseconds, in the order of Duration; ABSENT
        ("route", "<i4"),  # series code of (endpoint, type)
        ("minute", "<i4"),  # of the record's own time, since 1970
        ("received_minute", "<i4"),
        ("error", "<i4"),  # error class code, 0 for none
        ("event_hash", "<u4"),  # crc32 of event_id, where flags has HAS_EVENT
        ("status", "<i2"),  # HTTP status answered, 0 for none
        ("outcome", "u1"),
        ("reason", "u1"),  # reason code + 1, 0 for none
        ("flags", "u1"),
    ],
    align=True,
)
"""What an ingest transaction leaves for the fold, an item a record: its numbers, and its event's hash."""

Deltas = NDArray[Any]

_START_BITS = 27  # minutes since 1970 until the year 2225
_DENSE = 4  # cells of a table per item up to which it beats sorting

# Keys of the `counts` vector. On disk: append, never renumber.
_SETS = 3  # ordinary, replays, canaries: 8 outcomes each
STUCK_ACCEPTED, STUCK_FINAL = 40, 41  # by the minute of received_at
REDELIVERED = 42  # deliveries of an event that was attempted before
OFF_TIME = 43  # deliveries that were signed more than SKEW_US before or after their receipt
_SUM_KEY = 50  # + Duration: microseconds
_REASON_KEY = 100  # + reason code
_STATUS_KEY = 1000  # + 2 x status, + 1 when the delivery was rejected
_ERROR_KEY = 100_000  # + error class code


def outcome_key(outcome: Outcome, kind: int = 0) -> int:
    """Key of the count of `outcome`; kind: 0 ordinary, 1 replays, 2 canaries."""
    return kind * 8 + outcome.code


def reason_key(reason: Reason) -> int:
    return _REASON_KEY + reason.code


def status_key(status: int, rejected: bool = False) -> int:
    return _STATUS_KEY + 2 * status + rejected


def error_key(code: int) -> int:
    return _ERROR_KEY + code


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Records worth opening: the slowest attempt (microseconds, id) and the latest failure per error code."""

    slowest: tuple[int, bytes] | None = None
    failures: Mapping[int, bytes] = field(default_factory=dict)

    def merged(self, other: "Exemplars") -> "Exemplars":
        failures = dict(self.failures)
        for code, record_id in other.failures.items():
            failures[code] = max(failures.get(code, b""), record_id)  # UUIDv7: the largest is the latest
        return Exemplars(max(filter(None, (self.slowest, other.slowest)), default=None), failures)


NO_EXEMPLARS = Exemplars()


@dataclass(slots=True)
class Buckets:
    """Rollups of one grain, row by row: key i is (series code, bucket start in minutes since 1970).

    counts and bins (one sheet a Duration) add up; lows and highs are keyed by Duration, microseconds.
    """

    grain: Grain
    series: Ints
    start: Ints
    counts: Sheet
    bins: tuple[Sheet, ...]
    lows: Sheet
    highs: Sheet
    exemplars: list[Exemplars]

    def __len__(self) -> int:
        return int(self.series.size)


def fold(
    deltas: Deltas, durations: Collection[Duration] = tuple(Duration), exemplars: bool = True
) -> Buckets:
    """Minute buckets of the routes in `deltas` (any order; the caller has removed duplicates).

    durations: whose bins are wanted; exemplars: whether they are. Less is faster; all else is always there.
    """
    route = deltas["route"].astype(np.int64)
    series, start, row = _grouped(
        np.concatenate([route, route]), np.concatenate([deltas["minute"], deltas["received_minute"]])
    )
    own_row, received_row = row[: len(deltas)], row[len(deltas) :]
    ordinary = deltas["flags"] & (REPLAY | CANARY) == 0
    bins, sums, lows, highs = _durations(deltas, own_row, ordinary, series.size, durations)
    counts = joined([_counts(deltas, own_row, ordinary), _stuck(deltas, received_row), sums])
    return Buckets(
        Grain.MINUTE,
        series,
        start,
        reduced(counts),
        bins,
        reduced(lows, np.minimum.reduceat),
        reduced(highs, np.maximum.reduceat),
        _exemplars(deltas, own_row, ordinary, series.size) if exemplars else [NO_EXEMPLARS] * series.size,
    )


def _grouped(series: Ints, start: Ints) -> tuple[Ints, Ints, Ints]:
    """The distinct (series, start), sorted, and which of them each item is."""
    tabled = _tabled(series, start)
    if tabled is not None:
        return tabled
    keys, row = np.unique((series << _START_BITS) | start, return_inverse=True)
    return keys >> _START_BITS, keys & ((1 << _START_BITS) - 1), row.astype(np.int64)


def _tabled(series: Ints, start: Ints) -> tuple[Ints, Ints, Ints] | None:
    """`_grouped` through a table of both, without a sort; None where it would be mostly empty."""
    if not series.size:
        return None
    first, width = int(start.min()), int(np.ptp(start)) + 1
    cells = (int(series.max()) + 1) * width
    if cells > series.size * _DENSE:
        return None
    cell = series * width + (start - first)
    used = np.zeros(cells, dtype=bool)
    used[cell] = True
    keys = np.flatnonzero(used)
    return keys // width, keys % width + first, (np.cumsum(used) - 1)[cell]


def _counts(deltas: Deltas, row: Ints, ordinary: NDArray[np.bool_]) -> Sheet:
    kind = np.where(deltas["flags"] & CANARY, 2, np.where(deltas["flags"] & REPLAY, 1, 0)).astype(np.int64)
    outcome = deltas["outcome"].astype(np.int64)
    rejected = outcome == Outcome.REJECTED.code
    answered = ordinary & (deltas["status"] > 0)
    reasoned = ordinary & (deltas["reason"] > 0)
    failed = ordinary & (deltas["error"] > 0)
    again = answered & ~rejected & (deltas["flags"] & AGAIN > 0)
    off = answered & ~rejected & (deltas["flags"] & SKEWED > 0)
    keyed = [
        (row, kind * 8 + outcome),
        (row[answered], _STATUS_KEY + 2 * deltas["status"][answered].astype(np.int64) + rejected[answered]),
        (row[reasoned], _REASON_KEY + deltas["reason"][reasoned].astype(np.int64) - 1),
        (row[failed], _ERROR_KEY + deltas["error"][failed].astype(np.int64)),
        (row[again], np.full(int(again.sum()), REDELIVERED)),
        (row[off], np.full(int(off.sum()), OFF_TIME)),
    ]
    # each is reduced before they are joined: what is joined is then as short as the result
    return joined([reduced(Sheet(rows, keys, np.ones(rows.size, dtype=np.int64))) for rows, keys in keyed])


def _stuck(deltas: Deltas, received_row: Ints) -> Sheet:
    """Accepted events and the final records that end them, by the minute of receipt.

    Of the events that one delivery brought a single one carries its status, and each has an end of its own.
    """
    outcome, silent = deltas["outcome"], deltas["status"] == 0
    accepted = outcome == Outcome.ACCEPTED.code
    final = silent & (outcome != Outcome.ACCEPTED.code) & (outcome != Outcome.FAILED.code)
    return joined(
        [
            Sheet(received_row[mask], np.full(int(mask.sum()), key), np.ones(int(mask.sum()), dtype=np.int64))
            for mask, key in ((accepted, STUCK_ACCEPTED), (final, STUCK_FINAL))
        ]
    )


def _durations(
    deltas: Deltas, row: Ints, ordinary: NDArray[np.bool_], size: int, binned: Collection[Duration]
) -> tuple[tuple[Sheet, ...], Sheet, Sheet, Sheet]:
    """Bins per duration, and sums, lows and highs keyed by it; replays and canaries are in none.

    size: rows there are, each below it. binned: the other durations get no bins.
    """
    attempt = np.isin(deltas["outcome"], [outcome.code for outcome in ATTEMPTS])
    bins, sums, lows, highs = [], [], [], []
    for kind in Duration:
        taken = deltas["durations"][:, kind]
        counted = ordinary & (taken >= 0)
        if kind in (Duration.QUEUE, Duration.PROCESS):
            counted &= attempt
        elif kind is Duration.ACK:
            counted &= deltas["status"] > 0
        rows, values = row[counted], taken[counted]
        if kind in binned:
            bins.append(reduced(Sheet(rows, bins_of(values), np.ones(rows.size, dtype=np.int64))))
        else:
            bins.append(Sheet.empty())
        counts, total, low, high = _of_rows(rows, values, size)
        some = np.flatnonzero(counts)
        sums.append(Sheet(some, np.full(some.size, _SUM_KEY + kind), total[some]))
        lows.append(Sheet(some, np.full(some.size, int(kind)), low[some]))
        highs.append(Sheet(some, np.full(some.size, int(kind)), high[some]))
    return tuple(bins), joined(sums), joined(lows), joined(highs)


def _of_rows(rows: Ints, values: Ints, size: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Count, sum, least and greatest value of each of `size` rows; the last two say nothing where none is."""
    total = np.zeros(size, dtype=np.int64)
    low = np.full(size, np.iinfo(np.int64).max)
    high = np.full(size, np.iinfo(np.int64).min)
    np.add.at(total, rows, values)
    np.minimum.at(low, rows, values)
    np.maximum.at(high, rows, values)
    return np.bincount(rows, minlength=size), total, low, high


def _exemplars(deltas: Deltas, row: Ints, ordinary: NDArray[np.bool_], rows: int) -> list[Exemplars]:
    """Per row the slowest attempt, and the latest failure of each error class; ties go to the later id."""
    ids = deltas["record_id"].tobytes()
    halves = np.frombuffer(ids, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    taken, error = deltas["durations"][:, Duration.PROCESS], deltas["error"]
    attempt = np.isin(deltas["outcome"], [outcome.code for outcome in ATTEMPTS])
    slowest: list[tuple[int, bytes] | None] = [None] * rows
    failures: list[dict[int, bytes]] = [{} for _ in range(rows)]

    timed = np.flatnonzero(ordinary & attempt & (taken >= 0))
    highest = np.full(rows, -1, dtype=np.int64)
    np.maximum.at(highest, row[timed], taken[timed])
    timed = timed[taken[timed] == highest[row[timed]]]  # few are left to be put in order
    order = timed[np.lexsort((halves[timed, 1], halves[timed, 0], taken[timed], row[timed]))]
    for i in order[_last_of_runs(row[order])].tolist():
        slowest[int(row[i])] = (int(taken[i]), ids[16 * i : 16 * i + 16])

    failed = np.flatnonzero(ordinary & (error > 0))
    order = failed[np.lexsort((halves[failed, 1], halves[failed, 0], error[failed], row[failed]))]
    for i in order[_last_of_runs(row[order], error[order])].tolist():
        failures[int(row[i])][int(error[i])] = ids[16 * i : 16 * i + 16]
    return [Exemplars(slow, found) for slow, found in zip(slowest, failures, strict=True)]


def _last_of_runs(*columns: Ints) -> NDArray[np.bool_]:
    """True where the next item differs in some column."""
    size = columns[0].size
    last = np.ones(size, dtype=bool)
    if size > 1:
        last[:-1] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return last


def combined(parts: Sequence[Buckets]) -> Buckets:
    """One Buckets, one row a (series, start), of parts of the same grain. At least one part."""
    series = np.concatenate([part.series for part in parts])
    start = np.concatenate([part.start for part in parts])
    series, start, row = _grouped(series, start)
    offsets = np.cumsum([0, *(len(part) for part in parts)])

    def moved(sheets: Sequence[Sheet], by: Any = np.add.reduceat) -> Sheet:
        shifted = [
            Sheet(row[offset + sheet.row], sheet.key, sheet.value)
            for sheet, offset in zip(sheets, offsets.tolist(), strict=False)
        ]
        return reduced(joined(shifted), by)

    exemplars = [NO_EXEMPLARS] * series.size
    for part, offset in zip(parts, offsets.tolist(), strict=False):
        for i, found in enumerate(part.exemplars):
            if found is not NO_EXEMPLARS:
                target = int(row[offset + i])
                exemplars[target] = exemplars[target].merged(found)
    return Buckets(
        parts[0].grain,
        series,
        start,
        moved([part.counts for part in parts]),
        tuple(moved([part.bins[kind] for part in parts]) for kind in Duration),
        moved([part.lows for part in parts], np.minimum.reduceat),
        moved([part.highs for part in parts], np.maximum.reduceat),
        exemplars,
    )


def lifted(buckets: Buckets, parents: Mapping[int, int]) -> Buckets:
    """The same rollups one level up; parents: series code → its parent's code, for every row."""
    up = np.array([parents[code] for code in buckets.series.tolist()], dtype=np.int64)
    return combined([_rekeyed(buckets, buckets.grain, up, buckets.start)])


def coarsened(buckets: Buckets, grain: Grain) -> Buckets:
    """The same rollups in the wider buckets of `grain`."""
    width = grain.minutes
    start = buckets.start // width * width if width else np.zeros_like(buckets.start)
    return combined([_rekeyed(buckets, grain, buckets.series, start)])


def spread(leaves: Buckets, parents: Mapping[int, int]) -> list[Buckets]:
    """Every rollup that minute rollups of routes touch: four levels each, one Buckets a grain."""
    levels = [leaves]
    for _ in range(3):
        levels.append(lifted(levels[-1], parents))
    grains = [combined(levels)]
    for grain in (Grain.HOUR, Grain.DAY, Grain.EVER):
        grains.append(coarsened(grains[-1], grain))
    return grains


def _rekeyed(buckets: Buckets, grain: Grain, series: Ints, start: Ints) -> Buckets:
    return Buckets(
        grain, series, start, buckets.counts, buckets.bins, buckets.lows, buckets.highs, buckets.exemplars
    )


@dataclass(frozen=True, slots=True)
class Rollup:
    """The figures of one series over some time, ready to be asked."""

    counts: Mapping[int, int] = field(default_factory=dict)
    bins: Mapping[Duration, Mapping[int, int]] = field(default_factory=dict)
    lows: Mapping[int, int] = field(default_factory=dict)
    highs: Mapping[int, int] = field(default_factory=dict)
    exemplars: Exemplars = field(default_factory=Exemplars)

    def outcome(self, outcome: Outcome, kind: int = 0) -> int:
        """Records with this outcome; kind: 0 ordinary, 1 replays, 2 canaries."""
        return self.counts.get(outcome_key(outcome, kind), 0)

    def reasons(self) -> dict[Reason, int]:
        """Rejections per reason, without the zeros."""
        found = {reason: self.counts.get(reason_key(reason), 0) for reason in REASONS}
        return {reason: n for reason, n in found.items() if n}

    def statuses(self, *, rejected: bool | None = None) -> dict[int, int]:
        """Deliveries per HTTP status; rejected: only those that were (True) or were not (False)."""
        found: dict[int, int] = {}
        for key, n in self.counts.items():
            if _STATUS_KEY <= key < _ERROR_KEY and (rejected is None or bool(key & 1) is rejected):
                status = (key - _STATUS_KEY) // 2
                found[status] = found.get(status, 0) + n
        return found

    def errors(self) -> dict[int, int]:
        """Failures per error class code."""
        return {key - _ERROR_KEY: n for key, n in self.counts.items() if key >= _ERROR_KEY}

    def records(self) -> int:
        """All records, replays and canaries included."""
        return sum(self.counts.get(key, 0) for key in range(_SETS * len(OUTCOMES)))

    def distribution(self, kind: Duration) -> Distribution:
        return Distribution(
            self.bins.get(kind, {}),
            self.counts.get(_SUM_KEY + kind, 0),
            self.lows.get(int(kind)),
            self.highs.get(int(kind)),
        )


def rollups(buckets: Buckets) -> dict[tuple[int, int], Rollup]:
    """One Rollup a row, by (series code, bucket start in minutes since 1970)."""
    rows = len(buckets)
    counts, lows, highs = (sheet.as_dicts(rows) for sheet in (buckets.counts, buckets.lows, buckets.highs))
    bins = [sheet.as_dicts(rows) for sheet in buckets.bins]
    keys = zip(buckets.series.tolist(), buckets.start.tolist(), strict=True)
    return {
        key: Rollup(
            counts[i], {kind: bins[kind][i] for kind in Duration}, lows[i], highs[i], buckets.exemplars[i]
        )
        for i, key in enumerate(keys)
    }
