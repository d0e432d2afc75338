"""Events, records, series, stats and queues: every number over HTTP is the store's."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from monitor.clock import to_us
from monitor.model import Outcome, SeriesKey
from tests.facts import NOON, Filled, RecordFactory, mixed
from tests.monitor.api.conftest import bearer
from tests.monitor.clocks import FakeClock

READ = bearer("read")


def get(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/api/v1{path}", headers=READ)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_walk_through_the_pages_meets_each_record_once(client: FlaskClient, filled: Filled) -> None:
    stored = mixed(137, start=NOON - timedelta(hours=1), over=timedelta(hours=1))
    filled.add(stored)

    seen: list[str] = []
    path = "/records?limit=25"
    while path:
        page = get(client, path)
        seen += [record["record_id"] for record in page["records"]]
        path = f"/records?limit=25&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    newest_first = sorted((str(record.record_id) for record in stored), reverse=True)
    assert seen == newest_first


def test_records_are_found_by_several_outcomes_and_one_source(client: FlaskClient, filled: Filled) -> None:
    stored = mixed(80, over=timedelta(minutes=30))
    filled.add(stored)
    wanted = {Outcome.FAILED, Outcome.DEAD_LETTERED}

    found = get(client, "/records?outcome=failed&outcome=dead_lettered&source=orum&limit=500")["records"]

    assert {record["record_id"] for record in found} == {
        str(record.record_id) for record in stored if record.outcome in wanted and record.source == "orum"
    }


def test_a_record_comes_back_with_every_field_it_was_stored_with(client: FlaskClient, filled: Filled) -> None:
    record = RecordFactory().delivery(Outcome.FAILED, attempt=2, labels={"organization_id": "o1"})
    filled.add([record])

    found = get(client, f"/records/{record.record_id}")

    assert found["error_class"] == "TimeoutError"
    assert (found["attempt"], found["http_status"], found["ack_ms"]) == (2, 200, 30.0)
    assert found["labels"] == {"organization_id": "o1"}
    assert found["recorded_at"] == "2026-11-18T12:00:00Z"


@pytest.mark.parametrize("event_id", ["evt_1", "a/b/c", "ü?&#"])
def test_an_event_shows_its_timeline_whatever_its_id(
    client: FlaskClient, filled: Filled, event_id: str
) -> None:
    make = RecordFactory()
    filled.add(
        [
            make.delivery(Outcome.ACCEPTED, NOON, event_id=event_id),
            make(Outcome.FAILED, NOON + timedelta(seconds=1), event_id=event_id),
            make(Outcome.SUCCEEDED, NOON + timedelta(seconds=4), event_id=event_id, attempt=2),
        ]
    )

    answer = client.get("/api/v1/events/stripe/" + _quoted(event_id), headers=READ)

    (line,) = answer.get_json()["timelines"]
    assert line["event_id"] == event_id
    assert (line["deliveries"], line["attempts"], line["outcome"]) == (1, 2, "succeeded")
    assert [step["record"]["outcome"] for step in line["steps"]] == ["accepted", "failed", "succeeded"]
    assert line["steps"][0]["after_ms"] == pytest.approx(100)


def test_an_event_nobody_reported_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/api/v1/events/stripe/evt_none", headers=READ)

    assert answer.status_code == 404
    assert answer.get_json()["code"] == "not_found"


def test_a_series_sums_to_what_was_stored(client: FlaskClient, filled: Filled, clock: FakeClock) -> None:
    stored = mixed(200, start=NOON - timedelta(hours=2), over=timedelta(hours=2))
    filled.add(stored)
    ordinary = [record for record in stored if record.replay_id is None and not record.canary]
    key = SeriesKey("production", "stripe", "payments")
    wanted = [record for record in ordinary if (record.source, record.endpoint) == (key.source, key.endpoint)]

    found = get(client, "/series?source=stripe&endpoint=payments&points=60")

    failures = sum(point["failures"] for point in found["points"])
    assert failures == sum(r.outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED) for r in wanted)
    assert sum(sum(point["outcomes"].values()) for point in found["points"]) == len(wanted)
    assert found["step_s"] * len(found["points"]) >= 24 * 3600


def test_an_empty_step_has_no_share_and_no_percentile(client: FlaskClient) -> None:
    point = get(client, "/series?points=3")["points"][0]

    assert point["attempt_error_rate"] == {"part": 0, "whole": 0, "share": None}
    assert point["process_ms"]["p95_ms"] is None


def test_stats_count_per_type_in_json_and_csv_alike(
    client: FlaskClient, filled: Filled, clock: FakeClock
) -> None:
    make = RecordFactory()
    filled.add([make(at=NOON, process_ms=ms) for ms in (10.0, 20.0, 30.0)])
    filled.add([make(Outcome.FAILED, NOON, event_type="=SUM(A1)")])
    clock.move(timedelta(minutes=1))

    in_json = get(client, "/stats")["types"]
    answer = client.get("/api/v1/stats?format=csv", headers=READ)
    in_csv = list(csv.DictReader(io.StringIO(answer.text)))

    assert [(t["event_type"], t["total"], t["failed"]) for t in in_json] == [
        ("invoice.paid", 3, 0),
        ("=SUM(A1)", 1, 1),
    ]
    assert (in_json[0]["min_ms"], in_json[0]["avg_ms"], in_json[0]["max_ms"]) == (10, 20, 30)
    assert answer.mimetype == "text/csv"
    assert [row["event_type"] for row in in_csv] == ["invoice.paid", "'=SUM(A1)"]
    assert float(in_csv[0]["avg_ms"]) == 20


def test_queues_show_their_latest_sample(client: FlaskClient, filled: Filled) -> None:
    key = SeriesKey("production", "stripe", "payments")
    endpoint = filled.writer.intern_series([key], to_us(NOON))[key]
    filled.writer.append_queues(
        [
            (endpoint, "inbox", to_us(NOON - timedelta(minutes=m)), depth, 1_500_000)
            for m, depth in ((3, 7), (1, 9))
        ]
    )

    (queue,) = get(client, "/queues")["queues"]

    assert (queue["queue"], queue["latest"]["depth"], queue["latest"]["oldest_age_s"]) == ("inbox", 9, 1.5)
    assert [sample["depth"] for sample in queue["samples"]] == [7, 9]


@pytest.mark.parametrize(
    "path",
    [
        "/records?limit=0",
        "/records?limit=501",
        "/records?limt=5",
        "/records?outcome=lost",
        "/records?cursor=nonsense",
        "/records?cursor=%00",
        "/records?since=2026-11-18",
        "/records/not-a-uuid",
        "/series?endpoint=payments",
        "/series?since=2026-11-18T12:00:00Z&until=2026-11-18T12:00:00Z",
        "/series?since=2020-01-01T00:00:00Z",
        "/stats?format=xml",
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}", headers=READ)

    assert answer.status_code == 422, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["detail"]


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
