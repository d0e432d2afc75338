"""Rollups of one snapshot: stored rows plus the deltas that no fold has taken.

Counting is `monitor.rollup`'s; which rows are read, and by which index, is the database's (RollupTable).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from monitor.model import Duration, Grain
from monitor.rollup import DELTA, Buckets, Deltas, combined, fold, lifted
from monitor.sparse import Ints, Sheet
from monitor.store.facts import rollup_rows
from monitor.store.facts.protocol import WHOLE, Parts
from monitor.store.facts.reading.series import Series
from monitor.store.facts.spans import Span

_LEVELS_ABOVE = 3
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


class RollupTable(Protocol):
    """The rollups and deltas of one snapshot."""

    def stored(
        self, codes: Sequence[int], span: Span, columns: Sequence[str]
    ) -> Sequence[rollup_rows.Packed]:
        """Rows (series, grain, start, then `columns`) of these series that start in the span, any order."""

    def pending(self) -> bytes:
        """All DELTA items that no fold has taken: what came in about a second."""

    def last_starts(self, codes: Sequence[int]) -> dict[int, int]:
        """Per series the start of its newest minute bucket, or of the newest wider one where minutes are
        gone; series without one are left out."""


def read_buckets(
    table: RollupTable,
    series: Series,
    codes: Collection[int],
    span: Span,
    every: int = 1,
    parts: Parts = WHOLE,
) -> Buckets | None:
    """Buckets of these series that start in the span; None when there are none.

    every: this many buckets are merged into one. Merged buckets start at multiples of their width since 1970.
    """
    both = (_stored(table, codes, span, parts), _unfolded(table, series, codes, span, parts))
    found = [buckets for buckets in both if buckets]
    if not found:
        return None
    if every > 1:
        width = every * span[0].minutes
        found = [replace(buckets, start=buckets.start // width * width) for buckets in found]
    return combined(found)


def read_total(
    table: RollupTable,
    series: Series,
    codes: Collection[int],
    pieces: Sequence[Span],
    parts: Parts = WHOLE,
) -> Buckets | None:
    """One row a series over all `pieces`, which cover one stretch of time without a gap."""
    if not pieces:
        return None
    whole = (Grain.MINUTE, pieces[0][1], pieces[-1][2])
    found = [_stored(table, codes, piece, parts) for piece in pieces]
    found.append(_unfolded(table, series, codes, whole, parts))
    alike = [
        replace(buckets, grain=Grain.EVER, start=np.zeros_like(buckets.start)) for buckets in found if buckets
    ]
    return combined(alike) if alike else None


def read_ever(
    table: RollupTable, series: Series, codes: Collection[int], parts: Parts = WHOLE
) -> Buckets | None:
    """One row a series of everything since the store was made."""
    return read_buckets(table, series, codes, (Grain.EVER, 0, 1), parts=parts)


def read_last_minutes(table: RollupTable, series: Series, codes: Collection[int]) -> dict[int, int]:
    """Per series the start of its newest bucket, in minutes since 1970, unfolded deltas included."""
    found = table.last_starts(sorted(codes))
    deltas = _pending(table)
    if not deltas.size:
        return found
    latest = np.zeros(int(deltas["route"].max()) + 1, dtype=np.int64)
    np.maximum.at(latest, deltas["route"], deltas["minute"])
    for route in np.flatnonzero(np.bincount(deltas["route"])).tolist():
        for code in series.line(route):
            if code in codes:
                found[code] = max(found.get(code, 0), int(latest[route]))
    return found


def levels(leaves: Buckets, series: Series) -> list[Buckets]:
    """Buckets of routes, and the same of all that is above them."""
    found = [leaves]
    for _ in range(_LEVELS_ABOVE):
        found.append(lifted(found[-1], series.parents))
    return found


def _stored(table: RollupTable, codes: Collection[int], span: Span, parts: Parts) -> Buckets | None:
    columns = _columns(parts)
    rows = table.stored(sorted(codes), span, columns)
    return rollup_rows.buckets_of(rows, columns) if rows else None


def _columns(parts: Parts) -> list[str]:
    left_out = {kind.name.lower() for kind in Duration if kind not in parts.durations}
    if not parts.exemplars:
        left_out.add("exemplars")
    return [name for name in rollup_rows.COLUMNS if name not in left_out]


def _unfolded(
    table: RollupTable, series: Series, codes: Collection[int], span: Span, parts: Parts
) -> Buckets | None:
    """What deltas add to these series in the span: folded at the lowest level asked for, then lifted."""
    deltas = _pending(table)
    mask = _of_span(deltas, span)
    if not mask.any():
        return None
    lines = {
        route: series.line(route) for route in np.flatnonzero(np.bincount(deltas["route"][mask])).tolist()
    }
    wanted = set(codes)
    depths = {depth for line in lines.values() for depth, code in enumerate(line) if code in wanted}
    if not depths:
        return None
    lowest = min(depths)
    leaf = np.zeros(max(lines) + 1, dtype=np.int64)  # route → whom it is counted for; 0: nobody
    for route, line in lines.items():
        if not wanted.isdisjoint(line):
            leaf[route] = line[lowest]
    found = [_folded(deltas, leaf, mask, span[0], parts)]
    for _ in range(lowest, max(depths)):
        found.append(lifted(found[-1], series.parents))
    whole = combined(found) if len(found) > 1 else found[0]
    inside = np.isin(whole.series, sorted(wanted)) & (whole.start >= span[1]) & (whole.start < span[2])
    return _taken(whole, inside)


def _folded(deltas: Deltas, leaf: Ints, mask: Mask, grain: Grain, parts: Parts) -> Buckets:
    """Buckets of `grain` of those of the deltas that are inside and count for somebody."""
    counted = mask.copy()
    counted[mask] = leaf[deltas["route"][mask]] > 0
    taken = deltas.compress(counted)  # [counted] would copy field by field, which takes ten times as long
    taken["route"] = leaf[taken["route"]]
    width = grain.minutes
    for minute in ("minute", "received_minute"):
        taken[minute] = taken[minute] // width * width if width else 0
    return replace(fold(taken, parts.durations, parts.exemplars), grain=grain)


def _pending(table: RollupTable) -> Deltas:
    return np.frombuffer(table.pending(), dtype=DELTA)


def _of_span(deltas: Deltas, span: Span) -> Mask:
    """Items whose own minute, or minute of receipt, may lie in a bucket of the span."""
    grain, start, end = span
    if grain is Grain.EVER:
        return np.ones(deltas.size, dtype=bool)
    width = grain.minutes
    own, received = deltas["minute"] // width * width, deltas["received_minute"] // width * width
    return ((own >= start) & (own < end)) | ((received >= start) & (received < end))


def _taken(buckets: Buckets, mask: Mask) -> Buckets | None:
    """The rows where `mask` is true; None when it never is."""
    if not mask.any():
        return None
    place = np.cumsum(mask) - 1

    def kept(sheet: Sheet) -> Sheet:
        inside = mask[sheet.row]
        row: Ints = place[sheet.row[inside]].astype(np.int64)
        return Sheet(row, sheet.key[inside], sheet.value[inside])

    return Buckets(
        buckets.grain,
        buckets.series[mask],
        buckets.start[mask],
        kept(buckets.counts),
        tuple(kept(sheet) for sheet in buckets.bins),
        kept(buckets.lows),
        kept(buckets.highs),
        [buckets.exemplars[i] for i in np.flatnonzero(mask).tolist()],
    )
