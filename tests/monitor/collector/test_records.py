"""POST /api/v1/records as clients see it, over a real store."""

import gzip
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from monitor import figures
from monitor.model import Outcome, SeriesKey
from monitor.store.facts.protocol import RecordFilter
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import HOUR, DirectLink, Stand, key, stand

V7 = "01939f1e-4400-7abc-8def-0123456789ab"  # 2024-12-07
V4 = "01939f1e-4400-4abc-8def-0123456789ab"


def stored(collector: Stand) -> SqliteFactReader:
    return SqliteFactReader(collector.front.settings.facts_path)


def only(answer: dict[str, Any]) -> tuple[str, str]:
    (entry,) = answer["rejected"]
    return entry["code"], entry["pointer"]


def test_every_field_of_a_record_is_read_back_as_it_was_sent(collector: Stand) -> None:
    sent = collector.record(
        record_id="01a1e1a7-4c00-7abc-8def-0123456789ab",
        environment="dev",
        outcome="failed",
        attempt=3,
        ack_ms=1.5,
        latency_ms=2.25,
        verify_ms=0.125,
        queue_ms=7,
        process_ms=1234.567,
        http_status=503,
        skew_ms=-4.5,
        secret_id="k-7",
        cause="clock",
        event_created_at="2026-11-15T23:00:00+01:00",
        resource="transfer/1",
        version=7,
        error_class="Timeout",
        error_message="too late",
        error_stack="line 1",
        canary=True,
        replay_id="r-1",
        receiver="host-1",
        remote_ip="10.0.0.1",
        user_agent="Orum/1",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        labels={"organization_id": "42"},
        something_new="ignored",
    )
    assert collector.send(sent) == {"accepted": 1, "duplicates": 0, "rejected": []}

    record = stored(collector).get(UUID(sent["record_id"]))
    assert record is not None
    read = {name: getattr(record, name) for name in sent if hasattr(record, name)}
    expected = {k: v for k, v in sent.items() if k not in ("something_new", "record_id", "received_at")}
    del expected["event_created_at"], read["event_created_at"], read["record_id"], read["received_at"]
    expected["version"] = "7"
    assert read == expected
    assert record.event_created_at is not None
    assert record.event_created_at.isoformat() == "2026-11-15T22:00:00+00:00"
    assert record.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        (lambda rs: json.dumps(rs), "application/json"),
        (lambda rs: json.dumps({"records": rs, "client": {"name": "app"}}), "application/json"),
        (lambda rs: json.dumps({"records": rs}, indent=2), ""),
        (lambda rs: "\n".join(map(json.dumps, rs)) + "\n", "application/x-ndjson"),
        (lambda rs: "\n\n".join(map(json.dumps, rs)), "text/plain"),
    ],
)
def test_array_envelope_and_lines_are_taken(collector: Stand, form: Any, content_type: str) -> None:
    body = form([collector.record(event_id=f"e{i}") for i in range(3)]).encode()
    for headers, data in (({}, body), ({"Content-Encoding": "gzip"}, gzip.compress(body))):
        answer = collector.post(data, headers={"Content-Type": content_type, **headers}).get_json()
        assert answer["accepted"] + answer["duplicates"] == 3
        assert answer["rejected"] == []


def test_one_object_alone_is_a_record(collector: Stand) -> None:
    assert collector.post(json.dumps(collector.record(), indent=1).encode()).get_json()["accepted"] == 1


def test_empty_batch_is_answered_with_zeros(collector: Stand) -> None:
    assert collector.send() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_record_without_id_sent_again_is_a_duplicate(collector: Stand) -> None:
    record = collector.record(attempt=1)
    later = record | {"attempt": 2}

    assert collector.send(record, later)["accepted"] == 2
    collector.clock.move(HOUR)
    assert collector.send(record, later, record)["duplicates"] == 3


def test_derived_time_is_recorded_at_or_receipt_plus_latency(collector: Stand) -> None:
    at = collector.now_us - 60_000_000
    collector.send(
        collector.record(event_id="a", received_at=at, latency_ms=1500),
        collector.record(event_id="b", received_at=at, recorded_at=at + 2_000_000, latency_ms=1500),
    )
    found = {
        event: stored(collector).event("production", "orum", event)[0].recorded_at.timestamp()
        for event in ("a", "b")
    }
    assert found == {"a": at / 1e6 + 1.5, "b": at / 1e6 + 2}


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"outcome": "exploded"}, "unknown_outcome", "/outcome"),
        ({"source": None}, "missing_field", "/source"),
        ({"received_at": None}, "missing_field", "/received_at"),
        ({"received_at": "yesterday"}, "invalid", "/received_at"),
        ({"received_at": "2026-11-15T10:00:00"}, "invalid", "/received_at"),
        ({"received_at": -1}, "invalid", "/received_at"),
        ({"received_at": 2**57, "record_id": V7}, "in_future", "/received_at"),
        ({"received_at": 2**62}, "invalid", "/received_at"),
        ({"received_at": 0, "record_id": V7}, "received_at_far", "/received_at"),
        ({"record_id": V7}, "received_at_far", "/received_at"),
        ({"received_at": "2026-11-16T00:05:01Z"}, "in_future", "/received_at"),
        ({"recorded_at": "2026-11-16T00:05:01Z"}, "in_future", "/recorded_at"),
        ({"received_at": 10**30}, "invalid", "/received_at"),
        ({"record_id": "02939f1e-4400-7abc-8def-0123456789ab"}, "in_future", "/record_id"),
        ({"record_id": V4}, "record_id_not_v7", "/record_id"),
        ({"record_id": "no-uuid"}, "invalid", "/record_id"),
        ({"record_id": V7.replace("-", "")}, "invalid", "/record_id"),
        ({"event_id": None}, "missing_event_id", "/event_id"),
        ({"event_type": None}, "missing_event_type", "/event_type"),
        ({"ack_ms": 3}, "ack_without_status", "/http_status"),
        ({"process_ms": -1}, "invalid", "/process_ms"),
        ({"process_ms": "fast"}, "invalid", "/process_ms"),
        ({"attempt": 0}, "invalid", "/attempt"),
        ({"http_status": 99}, "invalid", "/http_status"),
        ({"source": "x" * 65}, "invalid", "/source"),
        ({"endpoint": ""}, "invalid", "/endpoint"),
        ({"labels": {f"l{i}": "" for i in range(17)}}, "invalid", "/labels"),
        ({"capture": {"body": "%%%"}}, "invalid", "/capture/body"),
    ],
)
def test_bad_record_is_refused_alone_with_its_place_and_reason(
    collector: Stand, change: dict[str, Any], code: str, pointer: str
) -> None:
    good = [collector.record(event_id="before"), collector.record(event_id="after")]
    answer = collector.send(good[0], collector.record(**change), good[1])

    assert only(answer) == (code, pointer)
    assert answer["rejected"][0]["index"] == 1
    assert answer["accepted"] == 2


def test_line_that_is_no_json_is_refused_alone(collector: Stand) -> None:
    lines = [json.dumps(collector.record()).encode(), b'{"source": "orum", ', b'{"source": "\\ud800"}']
    answer = collector.post(b"\n".join(lines), headers={"Content-Type": "application/x-ndjson"}).get_json()

    assert answer["accepted"] == 1
    codes = [(e["index"], e["code"]) for e in answer["rejected"]]
    assert codes == [(1, "malformed"), (2, "missing_field")]


def test_record_older_than_the_floor_is_refused_alone(collector: Stand) -> None:
    while collector.store.raise_floor(collector.now_us - 3_600_000_000, 100):
        pass
    old = collector.record(received_at=collector.now_us - 7_200_000_000)
    answer = collector.send(collector.record(event_id="x"), old)

    assert (answer["accepted"], only(answer)) == (1, ("too_old", "/record_id"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b'"records"',
        b"12",
        b"[",
        b'[{"source": "orum"',
        b"not json",
        b"{not json}",
        b'{"records": 5}',
        b'{"records": 5, "client": {}}',
        b"[1] trailing",
        b"\xff\xfe[]",
        b"[" * 100_000,
        b'[{"labels":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
def test_undecodable_body_is_a_problem_that_says_what_to_send(collector: Stand, body: bytes) -> None:
    response = collector.post(body)

    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    problem = response.get_json()
    assert (problem["code"], problem["status"]) == ("bad_request", 400)
    assert "array" in problem["hint"]


@pytest.mark.parametrize(
    "body", [b"[1]", b"[null, []]", b'[{"source": 1e400}]', b"{}", b'[{"version":1' + b"0" * 6000 + b"}]"]
)
def test_items_that_are_no_records_are_refused_each(collector: Stand, body: bytes) -> None:
    answer = collector.post(body).get_json()

    assert answer["accepted"] == 0
    assert {entry["code"] for entry in answer["rejected"]} <= {"invalid", "missing_field", "malformed"}
    assert answer["rejected"]


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 401), ("hv_k1_wrong", 401), ("hv_k2_x", 401), ("hv_k1", 401), ("sk_k1_x", 401), ("hv__", 401)],
)
def test_wrong_key_is_401_and_says_how_to_make_one(collector: Stand, token: str | None, status: int) -> None:
    response = collector.post([collector.record()], token=token)

    assert response.status_code == status
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.get_json()["hint"]


def test_revoked_key_and_key_without_scope_are_refused(collector: Stand) -> None:
    for stated, status in ((key(revoked=True), 401), (key(scopes=frozenset({"read"})), 403)):
        collector.keys[:] = [stated]
        collector.front.keys.refresh()
        assert collector.post([collector.record()]).status_code == status


def test_key_writes_for_its_own_sources_and_environment_only(tmp_path: Path) -> None:
    bound = key(sources=frozenset({"orum"}), environment="production")
    collector = stand(tmp_path, [bound])
    answer = collector.send(
        collector.record(event_id="own"),
        collector.record(source="stripe"),
        collector.record(environment="dev"),
    )
    collector.store.close()

    assert answer["accepted"] == 1
    assert [(e["index"], e["code"]) for e in answer["rejected"]] == [
        (1, "foreign_source"),
        (2, "foreign_environment"),
    ]


def test_too_large_body_is_413(tmp_path: Path) -> None:
    collector = stand(tmp_path, body_bytes=2000, records_a_request=5)
    record = collector.record()
    packed = gzip.compress(json.dumps([record] * 20).encode())
    cases = [
        collector.post([record] * 20),
        collector.post(packed, headers={"Content-Encoding": "gzip"}),
        collector.post([collector.record(event_id=str(i)) for i in range(6)]),
    ]
    collector.store.close()

    assert [(r.status_code, r.get_json()["code"]) for r in cases] == [(413, "too_large")] * 3


def test_key_over_its_rate_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    collector = stand(tmp_path, key_records_per_s=10)
    batch = [collector.record(event_id=str(i)) for i in range(30)]

    taken = collector.post(batch)
    assert taken.status_code == 200
    assert taken.headers["RateLimit-Policy"] == '"records";q=10;w=1'
    assert taken.headers["RateLimit"] == '"records";r=0;t=3'
    refused = collector.post([collector.record()])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert refused.headers["RateLimit"] == '"records";r=0;t=3'
    collector.clock.move(HOUR)
    assert collector.post([collector.record()]).headers["RateLimit"] == '"records";r=9;t=1'
    assert "RateLimit" not in collector.post(b"[]", token=None).headers
    collector.store.close()


def test_key_does_not_pay_for_what_was_not_stored(tmp_path: Path) -> None:
    collector = stand(tmp_path, key_records_per_s=10)
    link = collector.front.writer
    assert isinstance(link, DirectLink)
    collector.send(collector.record())  # its names are known from here on
    collector.clock.move(HOUR)
    whole = link._exchange

    def away(question: bytes, wait_s: float) -> tuple[object, ...]:
        raise ConnectionRefusedError

    link._exchange = away  # type: ignore[method-assign]  # as a closed socket would answer
    assert [collector.post([collector.record()] * 10).status_code for _ in range(3)] == [503] * 3
    link._exchange = whole  # type: ignore[method-assign]
    assert collector.post([collector.record(event_id="a")]).status_code == 200
    collector.store.close()


def test_key_over_its_rate_may_still_send_samples(tmp_path: Path) -> None:
    collector = stand(tmp_path, key_records_per_s=1)
    collector.send(*[collector.record(event_id=str(i)) for i in range(30)])
    sample = {"source": "a", "endpoint": "b", "queue": "q", "depth": 1, "sampled_at": collector.now_us}

    assert collector.post([sample], route="queues").status_code == 200
    assert collector.post([collector.record()]).status_code == 429
    collector.store.close()


@pytest.mark.parametrize(
    ("settings", "headers", "records", "named"),
    [
        ({"body_bytes": 500}, {}, 9, "500 bytes"),
        ({"compressed_bytes": 50}, {"Content-Encoding": "gzip"}, 9, "50 bytes"),
        ({"records_a_request": 8}, {}, 9, "8 records"),
    ],
)
def test_413_names_the_limit_and_what_to_do(
    tmp_path: Path, settings: dict[str, Any], headers: dict[str, str], records: int, named: str
) -> None:
    collector = stand(tmp_path, **settings)
    body = json.dumps([collector.record(event_id=f"e{n}") for n in range(records)]).encode()
    response = collector.post(gzip.compress(body) if headers else body, headers=headers)

    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (413, "too_large")
    assert named in problem["detail"]
    assert "send" in problem["hint"]
    collector.store.close()


def test_rejection_names_nothing_that_was_not_verified(collector: Stand) -> None:
    capture = {"headers": {}, "body": "e30="}
    collector.send(
        collector.record(
            outcome="rejected",
            event_id="forged",
            event_type="forged.type",
            reason="sunspots",
            resource="forged/1",
            http_status=401,
            ack_ms=1,
            capture=capture,
        )
    )

    reader = stored(collector)
    assert {series.event_type for series in reader.series().values()} == {None, "__unverified__"}
    assert reader.event("production", "orum", "forged") == []
    (record,) = reader.page(RecordFilter(), 10).records
    assert (record.event_type, record.event_id, record.reason, record.resource, record.has_capture) == (
        "__unverified__",
        None,
        "other",
        None,
        False,
    )


def test_flood_of_rejections_is_counted_exactly_and_stored_bare(tmp_path: Path) -> None:
    collector = stand(tmp_path, rejections_a_minute=3)
    flood = [
        collector.record(
            outcome="rejected",
            reason="bad_signature",
            event_id=None,
            event_type=None,
            receiver=f"host-{i}",
            user_agent="forger",
            remote_ip="203.0.113.9",
            http_status=401,
        )
        for i in range(10)
    ]
    assert collector.send(*flood)["accepted"] == 10
    assert collector.send(*flood)["duplicates"] == 10

    reader = stored(collector)
    records = reader.page(RecordFilter(), 100).records
    assert sum(record.user_agent == "forger" for record in records) == 3
    assert {record.reason for record in records} == {"bad_signature"}
    rollup = reader.ever([SeriesKey("production")])[SeriesKey("production")]
    assert (rollup.outcome(Outcome.REJECTED), len(records)) == (10, 10)
    collector.store.close()


def test_overlong_text_is_cut(collector: Stand) -> None:
    sent = collector.record(
        outcome="failed",
        error_class="E",
        error_message="m" * 10_000,
        error_stack="s" * 99_999,
        user_agent="u" * 5_000,
        labels={"long": "v" * 5_000},
    )
    assert collector.send(sent)["accepted"] == 1

    (record,) = stored(collector).event("production", "orum", "evt_1")
    sizes = [len(t or "") for t in (record.error_message, record.error_stack, record.user_agent)]
    assert sizes == [4_096, 16_384, 512]
    assert len(record.labels["long"]) == 256


def test_written_backslash_is_no_nul(collector: Stand) -> None:
    collector.send(collector.record(event_type="a\\u0000b"))

    assert stored(collector).event("production", "orum", "evt_1")[0].event_type == "a\\u0000b"


def test_long_version_number_is_kept_as_its_first_digits(collector: Stand) -> None:
    body = json.dumps([collector.record(version=7)]).replace("7}", "7" * 3000 + "}").encode()
    assert collector.post(body).get_json()["accepted"] == 1

    (record,) = stored(collector).event("production", "orum", "evt_1")
    assert record.version == "7" * 64


def test_new_environment_over_the_cap_is_refused_alone(collector: Stand) -> None:
    records = [collector.record(environment=f"env-{i}", event_id=str(i)) for i in range(17)]
    answer = collector.send(*records)

    assert answer["accepted"] == 16
    assert only(answer)[0] == "name_cap"


def test_types_over_the_cap_are_other_and_keep_their_own_text(collector: Stand) -> None:
    records = [collector.record(event_type=f"t{i}", event_id=str(i)) for i in range(1005)]
    assert collector.send(*records)["accepted"] == 1005
    again = collector.record(event_type="t-late", event_id="late")
    assert collector.send(again)["accepted"] == 1

    reader = stored(collector)
    types = [series.event_type for series in reader.series().values() if series.event_type]
    assert len(types) == 1001
    assert reader.event("production", "orum", "late")[0].event_type == "t-late"


def test_counters_say_what_became_of_the_records(collector: Stand) -> None:
    collector.send(collector.record(), collector.record(), collector.record(outcome="?", extra=1))
    collector.post(b"x", token=None)
    text = collector.client.get("/metrics").text

    for line in (
        'hookvitals_collector_records_total{result="accepted"} 1.0',
        'hookvitals_collector_records_total{result="duplicate"} 1.0',
        'hookvitals_collector_rejected_total{code="unknown_outcome"} 1.0',
        'hookvitals_collector_requests_total{route="records",status="200"} 1.0',
        'hookvitals_collector_requests_total{route="records",status="401"} 1.0',
        "hookvitals_collector_request_duration_seconds_count 2.0",
        "hookvitals_collector_writer_up 1.0",
    ):
        assert line in text


def test_framework_errors_are_problems_too(collector: Stand) -> None:
    for response, status, code in (
        (collector.client.get("/nowhere"), 404, "not_found"),
        (collector.client.get("/api/v1/records"), 405, "method_not_allowed"),
    ):
        assert (response.status_code, response.get_json()["code"]) == (status, code)
        assert response.mimetype == "application/problem+json"


def test_what_came_again_and_what_was_signed_at_another_time_is_counted_as_it_is_stored(
    collector: Stand,
) -> None:
    made = [
        collector.record(event_id=f"evt_{n}", http_status=500, outcome="failed", attempt=n, skew_ms=skew)
        for n, skew in ((1, 30_000.0), (2, -30_000.001), (3, None))
    ]
    collector.send(*made)

    reader = stored(collector)
    key = SeriesKey("production", made[0]["source"], made[0]["endpoint"])
    whole = reader.ever([key])[key]
    recounted = [rollup for (place, _), rollup in reader.recount(0, 2**52).items() if place == key]

    assert (figures.redelivered(whole), figures.off_time(whole)) == (2, 1)
    assert sum(map(figures.redelivered, recounted)) == 2
    assert sum(map(figures.off_time, recounted)) == 1
