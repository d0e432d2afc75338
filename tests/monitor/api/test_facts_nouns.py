"""Events and records over HTTP are the store's; what cannot be asked is refused by its name."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from monitor.model import Outcome, Record
from tests.facts import NOON, Filled, RecordFactory, mixed
from tests.monitor.api.conftest import bearer

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


def test_an_empty_step_has_no_share_and_no_percentile(client: FlaskClient) -> None:
    point = get(client, "/series?points=3")["points"][0]

    assert point["attempt_error_rate"] == {"part": 0, "whole": 0, "share": None}
    assert point["process_ms"]["p95_ms"] is None


BAD_RANGES = [
    "window=-1h",
    "window=0h",
    "window=1",
    "window=1w",
    "window=1.5h",
    "window=h",
    "window=",
    "window=24h%0A",
    "window=9999999d",
    "window=401d",
    "window=1h&since=2026-11-18T11:00:00Z",
    "window=1h&until=1970-01-01T00:30:00Z",
    "until=0001-01-01T00:00:00Z",
    "until=9999-12-31T23:59:59Z",
    "since=2020-01-01T00:00:00Z",
    "since=2026-11-18",
    "since=2026-11-18T12:00:00",
    "since=yesterday",
    "since=2026-11-18T12:00:00Z&until=2026-11-18T12:00:00Z",
    "since=2026-11-18T12:00:01Z&until=2026-11-18T12:00:00Z",
    "environment=a%00b",
    "source=a%00b",
    "endpoint=a%00b",
    "environment=" + "e" * 33,
    "source=" + "s" * 65,
    "endpoint=" + "e" * 129,
    "unknown=1",
]
NUL_CURSOR = "MTc2MzQ2NzIwMDAwMDAwMDoAeA"  # a time and an id with a NUL in it


@pytest.mark.parametrize("path", ["/stats", "/series", "/queues"])
@pytest.mark.parametrize("query", BAD_RANGES)
def test_a_range_that_cannot_be_used_is_refused(client: FlaskClient, path: str, query: str) -> None:
    assert_refused(client, f"{path}?{query}")


@pytest.mark.parametrize(
    "path",
    [
        "/records?limit=0",
        "/records?limit=501",
        "/records?limit=-1",
        "/records?limit=1e3",
        "/records?limt=5",
        "/records?outcome=lost",
        "/records?cursor=nonsense",
        "/records?cursor=%00",
        "/records?cursor=" + "A" * 201,
        f"/records?cursor={NUL_CURSOR}",
        "/records?since=2026-11-18",
        "/records?error_class=a%00b",
        "/records?event_type=a%00b",
        "/records/not-a-uuid",
        "/events/stripe/evt%00x",
        "/events/str%00ipe/evt",
        "/events/stripe/evt?environment=%00",
        "/series?endpoint=payments",
        "/series?source=stripe&event_type=invoice.paid",
        "/series?points=0",
        "/series?points=1001",
        "/stats?format=xml",
        "/stats?by=foo",
        "/stats?by=",
        "/stats?by=EVENT_TYPE",
        "/queues?window=32d",
        "/queues?samples=1",
        "/queues?samples=5001",
        "/queues/latest?window=-1h",
        "/queues/latest?since=2026-11-18T11:00:00Z",
        f"/alerts?cursor={NUL_CURSOR}",
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(client: FlaskClient, path: str) -> None:
    assert_refused(client, path)


def assert_refused(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}", headers=READ)

    assert answer.status_code == 422, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == "unprocessable"
    assert answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("path", "pointer", "said"),
    [
        ("/stats?window=-1h", "/window", "expected a length such as 90s, 15m, 24h or 7d"),
        ("/stats?by=foo", "/by", "'event_type', 'endpoint', 'source', 'error_class' or 'outcome'"),
        ("/records?limit=501", "/limit", "less than or equal to 500"),
        ("/events/stripe/evt%00x", "/event_id", "a NUL character is in it"),
    ],
)
def test_a_refusal_points_at_the_parameter_and_says_what_would_do(
    client: FlaskClient, path: str, pointer: str, said: str
) -> None:
    (fault,) = client.get(f"/api/v1{path}", headers=READ).get_json()["errors"]

    assert fault["pointer"] == pointer
    assert said in fault["detail"]


@pytest.mark.parametrize(
    "until", ["1970-01-02T00:00:00Z", "2200-01-01T00:00:00Z", "2026-11-18T13:00:00%2B14:00"]
)
def test_a_range_without_anything_in_it_is_empty(client: FlaskClient, until: str) -> None:
    assert get(client, f"/stats?until={until}&window=1d")["lines"] == []
    assert get(client, f"/queues?until={until}&window=1d")["queues"] == []
    assert {point["records"] for point in get(client, f"/series?until={until}&window=1d")["points"]} == {0}


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("environment=production", lambda r: True),
        ("environment=dev", lambda r: False),
        ("source=orum", lambda r: r.source == "orum"),
        ("endpoint=refunds", lambda r: r.endpoint == "refunds"),
        ("event_type=invoice.voided", lambda r: r.event_type == "invoice.voided"),
        ("outcome=rejected&outcome=stale", lambda r: r.outcome in (Outcome.REJECTED, Outcome.STALE)),
        ("outcome=accepted", lambda r: r.outcome is Outcome.ACCEPTED),
        ("error_class=KeyError", lambda r: r.error_class == "KeyError"),
        ("since=2026-11-18T11:20:00Z", lambda r: r.recorded_at >= NOON - timedelta(minutes=40)),
        ("until=2026-11-18T11:20:00Z", lambda r: r.recorded_at < NOON - timedelta(minutes=40)),
        (
            "source=stripe&outcome=failed&error_class=TimeoutError&until=2026-11-18T11:40:00Z",
            lambda r: (
                (r.source, r.outcome, r.error_class) == ("stripe", Outcome.FAILED, "TimeoutError")
                and r.recorded_at < NOON - timedelta(minutes=20)
            ),
        ),
    ],
)
def test_each_filter_pages_through_its_matches_once_while_more_arrive(
    client: FlaskClient, filled: Filled, path: str, matches: Callable[[Record], bool]
) -> None:
    stored = mixed(240, start=NOON - timedelta(hours=1), over=timedelta(hours=1))
    filled.add(stored)

    seen: list[str] = []
    cursor = ""
    for newer in range(400):
        page = get(client, f"/records?limit=7&{path}{cursor}")
        seen += [record["record_id"] for record in page["records"]]
        filled.add(mixed(1, seed=newer + 2, start=NOON + timedelta(hours=1), over=timedelta(hours=1)))
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == sorted((str(r.record_id) for r in stored if matches(r)), reverse=True)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
