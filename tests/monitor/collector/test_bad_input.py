"""What hostile and broken clients send is refused alone, or with the whole body; no neighbour is lost."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import Stand

NIL = "00000000-0000-0000-0000-000000000000"
V7_OF_ANOTHER_VARIANT = "01a1e1b5-a400-7abc-0def-0123456789ab"
IN_TEN_YEARS = "01eb4b1b-0000-7abc-8def-0123456789ab"


def text_of(collector: Stand, **given: Any) -> bytes:
    return json.dumps(collector.record(**given)).encode()


def between(collector: Stand, bad: bytes) -> dict[str, Any]:
    """The answer to a bad record between two good ones, which must have been stored."""
    good = [text_of(collector, event_id=name) for name in ("before", "after")]
    response = collector.post(b"[" + b",".join((good[0], bad, good[1])) + b"]")
    assert response.status_code == 200, response.text
    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert all(reader.event("production", "orum", name) for name in ("before", "after"))
    found: dict[str, Any] = response.get_json()
    assert found["accepted"] + found["duplicates"] + len(found["rejected"]) == 3
    return found


@pytest.mark.parametrize(
    "text",
    [
        rb"\u0000",
        rb"a\u0000b",
        rb"\\\u0000",
        rb"\ud800",
        rb"\uDFFF",
        rb"\udc00\ud800",
        b"\xff",
        b"\xed\xa0\x80",
    ],
)
@pytest.mark.parametrize("field", ["event_id", "event_type", "source", "error_stack", "replay_id", "reason"])
def test_text_no_store_can_keep_is_refused_alone(collector: Stand, field: str, text: bytes) -> None:
    found = between(collector, text_of(collector, **{field: "HERE"}).replace(b"HERE", text))

    (entry,) = found["rejected"]
    assert (entry["index"], entry["code"]) == (1, "unstorable_text")
    assert entry["pointer"] in (f"/{field}", "")


@pytest.mark.parametrize("inside", [{"labels": {"HERE": "x"}}, {"capture": {"headers": {"x": "HERE"}}}])
def test_text_inside_labels_and_captures_is_judged_too(collector: Stand, inside: dict[str, Any]) -> None:
    found = between(collector, text_of(collector, **inside).replace(b"HERE", rb"a\u0000"))

    assert [entry["code"] for entry in found["rejected"]] == ["unstorable_text"]


@pytest.mark.parametrize("text", [rb"\ud83d\ude00", rb"\\u0000", rb"\\ud800", rb"\u00e9", "é😀".encode()])
def test_text_that_only_looks_alike_is_stored_as_it_was_sent(collector: Stand, text: bytes) -> None:
    bad = text_of(collector, event_id="HERE", event_type="t\0").replace(b"HERE", rb"\ud800")
    good = text_of(collector, event_id="HERE").replace(b"HERE", text)
    for body in (b"[" + good + b"]", b"[" + good + b"," + bad + b"]"):
        assert collector.post(body).status_code == 200

    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert reader.event("production", "orum", json.loads(b'"' + text + b'"'))


def test_unstorable_text_in_an_unknown_field_harms_nobody(collector: Stand) -> None:
    bad = text_of(collector, other="HERE").replace(b"HERE", rb"\ud800\u0000")

    assert between(collector, bad)["rejected"] == []


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" + b"0" * 400]
)
def test_number_that_is_none_is_refused_alone(collector: Stand, number: bytes) -> None:
    bad = text_of(collector, process_ms="HERE", error_message="NaN Infinity").replace(b'"HERE"', number)
    (entry,) = between(collector, bad)["rejected"]

    assert (entry["index"], entry["pointer"], entry["code"]) == (1, "/process_ms", "invalid")


def test_nan_inside_a_text_stays_a_text(collector: Stand) -> None:
    bad = text_of(collector, process_ms="HERE").replace(b'"HERE"', b"NaN")
    body = b"[" + text_of(collector, event_id='NaN, "Infinity" \\') + b"," + bad + b"]"

    assert collector.post(body).get_json()["accepted"] == 1
    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert reader.event("production", "orum", 'NaN, "Infinity" \\')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("http_status", 2**63),
        ("http_status", -200),
        ("attempt", 2**64),
        ("process_ms", -0.001),
        ("latency_ms", 2**70),
        ("skew_ms", -(2**70)),
        ("received_at", 2**64),
        ("event_created_at", 2**62),
        ("version", {"major": 1}),
        ("canary", 1),
        ("labels", {"a": 1}),
    ],
)
def test_value_out_of_its_bounds_is_refused_alone(collector: Stand, field: str, value: object) -> None:
    (entry,) = between(collector, text_of(collector, **{field: value}))["rejected"]

    assert (entry["index"], entry["code"]) == (1, "invalid")
    assert entry["pointer"].startswith(f"/{field}")


@pytest.mark.parametrize(
    ("record_id", "code"),
    [(NIL, "record_id_not_v7"), (V7_OF_ANOTHER_VARIANT, "record_id_not_v7"), (IN_TEN_YEARS, "in_future")],
)
def test_id_that_is_no_v7_of_about_now_is_refused_alone(collector: Stand, record_id: str, code: str) -> None:
    (entry,) = between(collector, text_of(collector, record_id=record_id))["rejected"]

    assert (entry["index"], entry["pointer"], entry["code"]) == (1, "/record_id", code)


def test_clock_ten_years_behind_is_refused_by_what_the_store_keeps(collector: Stand) -> None:
    collector.store.raise_floor(collector.now_us - 30 * 86_400_000_000, 1000)
    ten_years_ago = collector.now_us - 3_650 * 86_400_000_000
    (entry,) = between(collector, text_of(collector, received_at=ten_years_ago))["rejected"]

    assert (entry["index"], entry["code"]) == (1, "too_old")


@pytest.mark.parametrize("years", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_date_at_the_end_of_time_can_be_read_again(collector: Stand, years: str) -> None:
    collector.send(collector.record(event_created_at=years))

    reader = SqliteFactReader(collector.front.settings.facts_path)
    (record,) = reader.event("production", "orum", "evt_1")
    assert record.event_created_at is not None
    assert record.event_created_at.year in (1, 9999)


def test_megabyte_of_a_wrong_word_is_not_sent_back(collector: Stand) -> None:
    found = between(collector, text_of(collector, outcome="x" * 1_000_000))

    assert [entry["code"] for entry in found["rejected"]] == ["unknown_outcome"]
    assert len(found["rejected"][0]["detail"]) < 500


def test_of_a_key_given_twice_the_last_counts(collector: Stand) -> None:
    body = b'[{"event_id": "first",' + text_of(collector, event_id="last")[1:] + b"]"

    assert collector.post(body).get_json()["accepted"] == 1
    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert reader.event("production", "orum", "last")
    assert not reader.event("production", "orum", "first")


@pytest.mark.parametrize(
    "shape",
    [
        b'{"records": [%b], "records": []}',
        b'{"records": [], "client": {"name": "a"}, "records": [%b], "big": ' + b"9" * 5000 + b"}",
        b'{"records": [%b]} trailing',
        b'{"records": [%b]}\n{"records": []}',
        b"\xef\xbb\xbf[%b]",
        b"[%b]]",
        b"[%b",
        b"[%b,]",
    ],
)
def test_body_that_hides_records_is_refused_whole(collector: Stand, shape: bytes) -> None:
    response = collector.post(shape % text_of(collector))

    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert collector.store.oldest_us(0) is None


def test_word_records_in_a_text_hides_nothing(collector: Stand) -> None:
    body = b'{"records": [%b]}' % text_of(collector, event_id='"records"', records=[1])

    assert collector.post(body).get_json()["accepted"] == 1


@pytest.mark.parametrize(
    "client", [5, {}, {"name": "a", "produced": -1}, {"name": "a\0"}, {"name": "\ud800"}]
)
def test_bad_client_costs_its_counts_and_no_record(collector: Stand, client: object) -> None:
    answer = collector.post(
        {"client": client, "records": [collector.record()]}
        if client != {"name": "\ud800"}
        else b'{"client": {"name": "\\ud800"}, "records": [' + text_of(collector) + b"]}"
    )

    found = answer.get_json()
    assert found["accepted"] == 1
    assert found["client"]["pointer"].startswith("/client")
    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert reader.clients(0) == []


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data", "application/x-protobuf"])
def test_body_that_says_it_is_something_else_is_415(collector: Stand, kind: str) -> None:
    response = collector.post([collector.record()], headers={"Content-Type": kind})

    assert (response.status_code, response.get_json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"[" * 8_000_000, mtime=0), 413),  # a bomb
        (gzip.compress(b"[" * 60_000, mtime=0), 400),
        (gzip.compress(b"[]", mtime=0)[:-9], 400),
        (gzip.compress(b"[]", mtime=0) + b"more", 400),
        (b"[]", 400),  # no gzip at all
    ],
)
def test_bad_gzip_is_one_problem(collector: Stand, body: bytes, status: int) -> None:
    response = collector.post(body, headers={"Content-Encoding": "gzip"})

    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize("route", ["records", "queues", "probes"])
@pytest.mark.parametrize(
    "body", [b"[" * (8 << 20), b'{"a":' * (1 << 20), b'"' + rb"\"" * (1 << 21), b"\\" * 4_000_000]
)
def test_eight_mebibytes_of_nothing_are_refused_at_once(collector: Stand, route: str, body: bytes) -> None:
    assert collector.post(body, route=route).status_code == 400


def test_unending_string_with_nan_is_walked_once(collector: Stand) -> None:
    assert collector.post(b'[NaN, "' + rb"\"" * (1 << 21)).status_code == 400


@pytest.mark.parametrize("field", ["queue", "endpoint", "environment"])
def test_sample_with_unstorable_text_is_refused_alone(collector: Stand, field: str) -> None:
    good = {"source": "a", "endpoint": "b", "queue": "q", "depth": 1, "sampled_at": collector.now_us}
    answer = collector.post([good, good | {field: "a\0"}], route="queues").get_json()

    assert (answer["accepted"], answer["rejected"][0]["code"]) == (1, "unstorable_text")


def test_probe_with_unstorable_error_is_refused_alone(collector: Stand) -> None:
    good = {"source": "a", "endpoint": "b", "kind": "http", "ok": False, "checked_at": collector.now_us}
    answer = collector.post([good, good | {"error": "a\0"}], route="probes").get_json()

    assert (answer["accepted"], answer["rejected"][0]["code"]) == (1, "unstorable_text")
    until = "9999-12-31T23:59:59-14:00"
    late = collector.post([good | {"kind": "tls", "cert_not_after": until}], route="probes").get_json()
    assert late["accepted"] == 1


def test_types_without_end_fill_neither_names_nor_memory(tmp_path: Path, collector: Stand) -> None:
    for start in range(0, 30_000, 10_000):
        records = [
            collector.record(event_id=f"e{n}", event_type=f"t{n}") for n in range(start, start + 10_000)
        ]
        assert collector.send(*records)["accepted"] == 10_000

    assert len(SqliteFactReader(collector.front.settings.facts_path).series()) < 1_100
