"""A client that makes up a new event type for each of its records: all count, few become names.

FAULTS_TYPES of them, 200,000 unless told otherwise; `make faults-long` has a million.
"""

import itertools
import os
import time
from pathlib import Path

import msgspec
import pytest
import requests

from monitor.model import OTHER, SeriesKey
from monitor.store.facts.names import TYPES_A_SOURCE
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.faults.collector_process import FACTS, TOKEN, make_stores
from tests.faults.conftest import Start
from tests.faults.load import new_id

RECORDS, BATCH = int(os.environ.get("FAULTS_TYPES", "200000")), 5_000

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120 + RECORDS // 2_000)]
ENDPOINT = SeriesKey("production", "orum", "endpoint")


def body(first: int) -> bytes:
    at_us = time.time_ns() // 1000
    return msgspec.json.encode(
        [
            {
                "record_id": str(new_id(1, number)),
                "event_id": f"evt-{number}",
                "source": "orum",
                "endpoint": "endpoint",
                "event_type": f"type-{number}",
                "received_at": at_us,
                "outcome": "succeeded",
            }
            for number in range(first, first + BATCH)
        ]
    )


def test_types_without_end_are_counted_and_a_thousand_of_them_named(tmp_path: Path, start: Start) -> None:
    collector = start(make_stores(tmp_path)).wait_ready()
    client = requests.Session()
    client.headers.update({"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
    answers = [
        client.post(f"{collector.url}/api/v1/records", body(first), timeout=30)
        for first in range(0, RECORDS, BATCH)
    ]
    assert collector.stop() == 0

    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["accepted"] for answer in answers) == RECORDS
    assert list(itertools.chain(*(answer.json()["rejected"] for answer in answers))) == []
    reader = SqliteFactReader(tmp_path / FACTS)
    names = [key for key in reader.series().values() if key.event_type]
    counted = {key.event_type: rollup.records() for key, rollup in reader.ever(names).items()}
    assert reader.ever([ENDPOINT])[ENDPOINT].records() == RECORDS
    assert len(names) <= TYPES_A_SOURCE + 1
    assert counted[OTHER] == RECORDS - (len(names) - 1)
    reader.close()
