"""The tests' own recount: what the rollups must say, worked out record by record in plain Python."""

import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from monitor.model import Duration, Grain, Outcome, SeriesKey
from monitor.rollup import DELTA, Rollup, combined, fold, rollups, spread
from monitor.store.facts.rollup_rows import buckets_of
from tests.monitor.store.facts.making import Made

Place = tuple[SeriesKey, Grain, int]
"""Series, grain, bucket start in minutes since 1970."""

Select = Callable[[str], list[tuple[Any, ...]]]

_ATTEMPTS = ("succeeded", "failed", "dead_lettered")


@dataclass(slots=True)
class Figures:
    outcomes: Counter[tuple[str, int]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[int, bool]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    durations: dict[Duration, list[int]] = field(default_factory=dict)
    stuck: Counter[str] = field(default_factory=Counter)
    slowest: tuple[int, bytes] | None = None
    failures: dict[str, bytes] = field(default_factory=dict)


def recount(records: Iterable[Made]) -> dict[Place, Figures]:
    """Figures of every series, grain and bucket that the records touch."""
    found: dict[Place, Figures] = {}
    for record in records:
        for place in _places(record.key, record.minute):
            _count(found.setdefault(place, Figures()), record)
        stuck = _stuck(record)
        for place in _places(record.key, record.received_at_us // 60_000_000):
            figures = found.setdefault(place, Figures())
            if stuck:
                figures.stuck[stuck] += 1
    return found


def as_figures(rollup: Rollup, error_names: dict[int, str]) -> tuple[object, ...]:
    """A stored rollup in the form of `comparable`."""
    outcomes = {(o.value, k): rollup.outcome(o, k) for o in Outcome for k in range(3) if rollup.outcome(o, k)}
    # two endpoints may bear the same class: two codes, one name
    errors: dict[str, int] = {}
    for code, n in rollup.errors().items():
        errors[error_names[code]] = errors.get(error_names[code], 0) + n
    failures: dict[str, bytes] = {}
    for code, found_id in rollup.exemplars.failures.items():
        failures[error_names[code]] = max(failures.get(error_names[code], b""), found_id)
    distributions = {}
    for kind in Duration:
        found = rollup.distribution(kind)
        if found.bins:
            distributions[kind] = (found.bins, found.sum_us, found.min_us, found.max_us)
    statuses = {
        (status, rejected): n
        for rejected in (False, True)
        for status, n in rollup.statuses(rejected=rejected).items()
    }
    return (
        outcomes,
        {reason.value: n for reason, n in rollup.reasons().items()},
        statuses,
        errors,
        distributions,
        {name: rollup.counts[key] for name, key in (("accepted", 40), ("final", 41)) if key in rollup.counts},
        rollup.exemplars.slowest,
        failures,
    )


def comparable(figures: Figures) -> tuple[object, ...]:
    """The recount in the form of `as_figures`."""
    distributions = {
        kind: (dict(Counter(_bin(v) for v in values)), sum(values), min(values), max(values))
        for kind, values in figures.durations.items()
    }
    return (
        dict(figures.outcomes),
        dict(figures.reasons),
        dict(figures.statuses),
        dict(figures.errors),
        distributions,
        dict(figures.stuck),
        figures.slowest,
        figures.failures,
    )


def stored_figures(path: Path) -> dict[Place, tuple[object, ...]]:
    """Rollups plus unfolded deltas of the file, in one snapshot, read with plain SQL."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("BEGIN")
        return figures_in(lambda query: db.execute(query).fetchall())
    finally:
        db.close()


def figures_in(select: Select) -> dict[Place, tuple[object, ...]]:
    """The same of any store; select: all rows of a query, in one snapshot."""
    keys: dict[int, SeriesKey] = {}
    parents: dict[int, int] = {}
    for code, parent, env, source, endpoint, kind in select(
        "SELECT code, parent, environment, source, endpoint, event_type FROM series"
    ):
        keys[code] = SeriesKey(env, source or None, endpoint or None, kind or None)
        parents[code] = parent
    names: dict[int, str] = dict(select("SELECT code, name FROM error_class"))
    items = b"".join(row[0] for row in select("SELECT items FROM delta"))
    unfolded = spread(fold(np.frombuffer(items, dtype=DELTA)), parents) if items else []
    found: dict[Place, tuple[object, ...]] = {}
    for grain in Grain:
        rows = select(f"SELECT * FROM rollup WHERE grain = {grain:d}")
        parts = [buckets_of(rows)] if rows else []
        parts += [unfolded[grain]] if unfolded else []
        if parts:
            for (code, start), rollup in rollups(combined(parts)).items():
                found[keys[code], grain, start] = as_figures(rollup, names)
    return found


def _places(key: SeriesKey, minute: int) -> list[Place]:
    places = []
    level: SeriesKey | None = key
    while level is not None:
        places += [(level, grain, _start(grain, minute)) for grain in Grain]
        level = level.parent
    return places


def _start(grain: Grain, minute: int) -> int:
    return 0 if grain is Grain.EVER else minute - minute % {0: 1, 1: 60, 2: 1440}[int(grain)]


def _count(figures: Figures, record: Made) -> None:
    kind = 2 if record.canary else 1 if record.replay_id else 0
    figures.outcomes[record.outcome, kind] += 1
    if kind:
        return
    attempt = record.outcome in _ATTEMPTS
    if record.status:
        figures.statuses[record.status, record.outcome == "rejected"] += 1
    if record.reason:
        figures.reasons[record.reason] += 1
    if record.error:
        figures.errors[record.error] += 1
        latest = figures.failures.get(record.error, b"")
        figures.failures[record.error] = max(latest, record.record_id)
    for which, value in zip(Duration, record.durations, strict=True):
        if which is Duration.ACK:
            wanted = record.status is not None
        else:
            wanted = attempt or which in (Duration.VERIFY, Duration.LATENCY)
        if value is not None and wanted:
            figures.durations.setdefault(which, []).append(value)
            if which is Duration.PROCESS:
                slow = (value, record.record_id)
                figures.slowest = max(figures.slowest, slow) if figures.slowest else slow


def _stuck(record: Made) -> str | None:
    if record.outcome == "accepted":
        return "accepted"
    return "final" if not record.status and record.outcome != "failed" else None


def _bin(us: int) -> int:
    return 0 if us <= 0 else min(1023, max(1, math.ceil(math.log2(us / 1e6) * 16) + 320))
