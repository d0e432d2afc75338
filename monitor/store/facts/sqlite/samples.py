"""Rows of queue samples, probe results, clients' counts and heartbeats out of a SQLite store."""

import sqlite3
from collections.abc import Iterable, Iterator

from monitor.store.facts.reading.samples import CLIENT, RESULT, SAMPLE, Row

_SAMPLE, _RESULT, _CLIENT = (", ".join(columns) for columns in (SAMPLE, RESULT, CLIENT))


class SqliteSamples:
    """SampleTable of one snapshot."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def queue_samples(self, start_us: int, end_us: int) -> Iterable[Row]:
        for queue in self._queues():
            yield from self._db.execute(
                f"SELECT {_SAMPLE} FROM queue_sample"  # noqa: S608
                " WHERE endpoint = ? AND queue = ? AND sampled_at_us >= ? AND sampled_at_us < ?",
                (*queue, start_us, end_us),
            )

    def latest_queue_samples(self, not_before_us: int) -> Iterable[Row]:
        for queue in self._queues():
            yield from self._db.execute(
                f"SELECT {_SAMPLE} FROM queue_sample WHERE endpoint = ? AND queue = ?"  # noqa: S608
                " AND sampled_at_us >= ? ORDER BY sampled_at_us DESC LIMIT 1",
                (*queue, not_before_us),
            )

    def probe_results(self, kind: str, start_us: int, end_us: int) -> Iterable[Row]:
        for endpoint in self._probed():
            yield from self._db.execute(
                f"SELECT {_RESULT} FROM probe_result"  # noqa: S608
                " WHERE endpoint = ? AND kind = ? AND checked_at_us >= ? AND checked_at_us < ?",
                (endpoint, kind, start_us, end_us),
            )

    def probe_counts(self, endpoint: int, kind: str, start_us: int, end_us: int) -> tuple[int, int]:
        good, every = self._db.execute(  # a range of the primary key
            "SELECT coalesce(sum(ok), 0), count(*) FROM probe_result"
            " WHERE endpoint = ? AND kind = ? AND checked_at_us >= ? AND checked_at_us < ?",
            (endpoint, kind, start_us, end_us),
        ).fetchone()
        return int(good), int(every)

    def clients(self, not_before_us: int) -> Iterable[Row]:
        return self._db.execute(
            f"SELECT {_CLIENT} FROM client WHERE seen_at_us >= ?"  # noqa: S608
            " ORDER BY name, instance, started_at_us",
            (not_before_us,),
        )

    def heartbeat_us(self, before_us: int) -> int | None:
        newest = "SELECT max(beat_at_us) FROM heartbeat WHERE beat_at_us < ?"  # of the primary key
        beat: int | None = self._db.execute(newest, (before_us,)).fetchone()[0]
        return beat

    def _queues(self) -> Iterator[tuple[int, str]]:
        """Every (endpoint code, queue) there is, by jumping from one to the next in the primary key."""
        after: tuple[int, str] | None = (-1, "")
        while after is not None:
            after = self._db.execute(
                "SELECT endpoint, queue FROM queue_sample WHERE (endpoint, queue) > (?, ?)"
                " ORDER BY endpoint, queue LIMIT 1",
                after,
            ).fetchone()
            if after is not None:
                yield after

    def _probed(self) -> Iterator[int]:
        """Every endpoint code that was probed."""
        after = -1
        while (
            row := self._db.execute(
                "SELECT endpoint FROM probe_result WHERE endpoint > ? ORDER BY endpoint LIMIT 1", (after,)
            ).fetchone()
        ) is not None:
            after = row[0]
            yield after
