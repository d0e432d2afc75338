"""Whatever JSON comes, the collector answers 200 or 4xx, counts every record and stores the good ones."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.collector.wire import ProbeIn, QueueIn, RecordIn
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create as create_on_postgres
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import FactReader
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.clocks import FakeClock
from tests.monitor.collector.fronts import Stand, stand, stand_over
from tests.postgres import Postgres, database

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


@dataclass
class Place:
    """A collector over one kind of store, and a reader of it."""

    collector: Stand
    reader: FactReader


@contextmanager
def on_sqlite(directory: Path) -> Iterator[Place]:
    made = stand(directory)
    with closing(made.store), closing(SqliteFactReader(directory / "facts.db")) as reader:
        yield Place(made, reader)


@contextmanager
def on_postgres(directory: Path, postgres: Postgres) -> Iterator[Place]:
    with database(postgres) as url:
        create_on_postgres(url)
        clock = FakeClock()
        with closing(PostgresFactWriter(url, clock)) as store, closing(PostgresFactReader(url)) as reader:
            yield Place(stand_over(store, clock, directory), reader)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("collector")
    if request.param == "sqlite":
        with on_sqlite(directory) as made:
            yield made
    else:
        with on_postgres(directory, request.getfixturevalue("postgres")) as made:
            yield made


@given(items=st.lists(ITEMS, min_size=1, max_size=6), form=FORMS, client=VALUES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_record_sent_is_accounted_for_and_the_good_are_stored(
    place: Place, items: list[Any], form: str, client: Any
) -> None:
    collector = place.collector
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
    assert all(place.reader.event("production", "orum", sent[number]["event_id"]) for number in good)


@given(
    body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()),
    cut=st.integers(0, 200),
)
@settings(max_examples=200, deadline=None)
def test_no_body_is_an_error_of_the_collectors_own(place: Place, body: bytes, cut: int) -> None:
    for route in ("records", "queues", "probes"):
        for sent in (body, body[:cut]):
            assert place.collector.post(sent, route=route).status_code in (200, 400, 413)


@pytest.mark.parametrize(("route", "kind"), [("queues", QueueIn), ("probes", ProbeIn)])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_every_sample_is_accounted_for(place: Place, route: str, kind: Any, data: st.DataObject) -> None:
    collector = place.collector
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
