"""Rows of queue samples, probe results, clients' counts and heartbeats out of PostgreSQL.

What was looked at is found by jumping from one to the next in the primary key.
"""

from collections.abc import Iterable

from monitor.store.facts.postgres.rows import rows
from monitor.store.facts.postgres.server import Connection
from monitor.store.facts.reading.samples import CLIENT, RESULT, SAMPLE, Row

_SAMPLE, _RESULT, _CLIENT = (", ".join(columns) for columns in (SAMPLE, RESULT, CLIENT))

_QUEUES = """
    WITH RECURSIVE looked (endpoint_, queue_) AS (
        (SELECT endpoint, queue FROM facts.queue_sample ORDER BY endpoint, queue LIMIT 1)
        UNION ALL
        SELECT further.endpoint, further.queue FROM looked CROSS JOIN LATERAL (
            SELECT endpoint, queue FROM facts.queue_sample
            WHERE (endpoint, queue) > (endpoint_, queue_) ORDER BY endpoint, queue LIMIT 1) AS further)"""

_PROBED = """
    WITH RECURSIVE looked (endpoint_) AS (
        (SELECT endpoint FROM facts.probe_result ORDER BY endpoint LIMIT 1)
        UNION ALL
        SELECT further.endpoint FROM looked CROSS JOIN LATERAL (
            SELECT endpoint FROM facts.probe_result
            WHERE endpoint > endpoint_ ORDER BY endpoint LIMIT 1) AS further)"""


class PostgresSamples:
    """SampleTable of one snapshot."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def queue_samples(self, start_us: int, end_us: int) -> Iterable[Row]:
        return rows(
            self._db,
            f"{_QUEUES} SELECT {_SAMPLE} FROM looked CROSS JOIN LATERAL (SELECT * FROM facts.queue_sample"  # noqa: S608
            " WHERE endpoint = endpoint_ AND queue = queue_ AND sampled_at_us >= %s AND sampled_at_us < %s"
            ") AS sample",
            start_us,
            end_us,
        )

    def latest_queue_samples(self, not_before_us: int) -> Iterable[Row]:
        return rows(
            self._db,
            f"{_QUEUES} SELECT {_SAMPLE} FROM looked CROSS JOIN LATERAL (SELECT * FROM facts.queue_sample"  # noqa: S608
            " WHERE endpoint = endpoint_ AND queue = queue_ AND sampled_at_us >= %s"
            " ORDER BY sampled_at_us DESC LIMIT 1) AS sample ORDER BY endpoint, queue",
            not_before_us,
        )

    def probe_results(self, kind: str, start_us: int, end_us: int) -> Iterable[Row]:
        return rows(
            self._db,
            f"{_PROBED} SELECT {_RESULT} FROM looked CROSS JOIN LATERAL (SELECT * FROM facts.probe_result"  # noqa: S608
            " WHERE endpoint = endpoint_ AND kind = %s AND checked_at_us >= %s AND checked_at_us < %s"
            ") AS result",
            kind,
            start_us,
            end_us,
        )

    def probe_counts(self, endpoint: int, kind: str, start_us: int, end_us: int) -> tuple[int, int]:
        counted = (  # a range of the primary key
            "SELECT count(*) FILTER (WHERE ok <> 0), count(*) FROM facts.probe_result"
            " WHERE endpoint = %s AND kind = %s AND checked_at_us >= %s AND checked_at_us < %s"
        )
        ((good, every),) = rows(self._db, counted, endpoint, kind, start_us, end_us)
        return int(good), int(every)

    def clients(self, not_before_us: int) -> Iterable[Row]:
        return rows(
            self._db,
            f"SELECT {_CLIENT} FROM facts.client WHERE seen_at_us >= %s"  # noqa: S608
            " ORDER BY name, instance, started_at_us",
            not_before_us,
        )

    def heartbeat_us(self, before_us: int) -> int | None:
        newest = "SELECT max(beat_at_us) FROM facts.heartbeat WHERE beat_at_us < %s"  # of the primary key
        ((beat,),) = rows(self._db, newest, before_us)
        return None if beat is None else int(beat)
