"""Whatever JSON comes, the collector answers 200 or 4xx, counts every record and stores the good ones."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.collector.wire import ProbeIn, QueueIn, RecordIn
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import Stand, stand

TEXTS = st.one_of(
    st.text(st.characters(), max_size=8),  # half surrogates and NULs among them
    st.sampled_from(
        ["", "x" * 300, "production", "rejected", "dead_lettered", "NaN", '"records"', "\\u0000"]
    ),
)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, -1, 1e300, 10**400, 1794787200000000])
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*RecordIn.__struct_fields__, "unknown"])
CHANGES = st.dictionaries(FIELDS, VALUES, max_size=4)
ITEMS = st.one_of(st.none(), CHANGES, VALUES)
"""None: a good record. A dictionary: what is changed in one. Anything else stands in place of one."""
FORMS = st.sampled_from(["array", "envelope", "lines"])


@pytest.fixture(scope="module")
def collector() -> Iterator[Stand]:
    with tempfile.TemporaryDirectory() as directory:
        made = stand(Path(directory))
        yield made
        made.store.close()


@given(items=st.lists(ITEMS, min_size=1, max_size=6), form=FORMS, client=VALUES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_record_sent_is_accounted_for_and_the_good_are_stored(
    collector: Stand, items: list[Any], form: str, client: Any
) -> None:
    sent = [_record(collector, item, number) for number, item in enumerate(items)]
    good = [number for number, item in enumerate(items) if item is None or item == {}]
    response = collector.post(_body(sent, form, client), headers=_headers(form))

    if response.status_code != 200:
        # lines of which none is a record are no body; nothing else may cost a good one
        assert (response.status_code, form, good) == (400, "lines", [])
        return
    answer = response.get_json()
    refused = [entry["index"] for entry in answer["rejected"]]
    assert answer["accepted"] + answer["duplicates"] + len(refused) == len(sent)
    assert refused == sorted(set(refused))
    assert not set(refused) & set(good)
    reader = SqliteFactReader(collector.front.settings.facts_path)
    assert all(reader.event("production", "orum", sent[number]["event_id"]) for number in good)
    reader.close()


@given(
    body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()),
    cut=st.integers(0, 200),
)
@settings(max_examples=200, deadline=None)
def test_no_body_is_an_error_of_the_collectors_own(collector: Stand, body: bytes, cut: int) -> None:
    for route in ("records", "queues", "probes"):
        for sent in (body, body[:cut]):
            assert collector.post(sent, route=route).status_code in (200, 400, 413)


@pytest.mark.parametrize(("route", "kind"), [("queues", QueueIn), ("probes", ProbeIn)])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_every_sample_is_accounted_for(collector: Stand, route: str, kind: Any, data: st.DataObject) -> None:
    good = {"source": "a", "endpoint": "b", "queue": "q", "depth": 1, "sampled_at": collector.now_us}
    good |= {"kind": "http", "ok": True, "checked_at": collector.now_us}
    fields = st.sampled_from(kind.__struct_fields__)
    changes = data.draw(st.lists(st.dictionaries(fields, VALUES, max_size=3), min_size=1, max_size=5))
    response = collector.post(json.dumps([good | change for change in changes]).encode(), route=route)

    assert response.status_code == 200, response.text
    answer = response.get_json()
    assert answer["accepted"] + answer["duplicates"] + len(answer["rejected"]) == len(changes)
    assert not {entry["index"] for entry in answer["rejected"]} & {i for i, c in enumerate(changes) if not c}


def _record(collector: Stand, item: Any, number: int) -> Any:
    if item is None:
        return collector.record(event_id=f"good-{number}")
    if isinstance(item, dict):
        return collector.record(event_id=f"good-{number}") | item
    return item


def _body(sent: list[Any], form: str, client: Any) -> bytes:
    if form == "array":
        return json.dumps(sent).encode()
    if form == "envelope":
        return json.dumps({"client": client, "records": sent}).encode()
    return "\n".join(map(json.dumps, sent)).encode()


def _headers(form: str) -> dict[str, str]:
    return {"Content-Type": "application/x-ndjson" if form == "lines" else "application/json"}
