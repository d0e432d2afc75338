"""What receivers say of their types comes with a batch and is kept, within bounds and the key's own sources.

Practice 18.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.sightings import Aspect, Sighting
from monitor.clock import from_us
from monitor.model import SeriesKey
from monitor.queries.declared import declared_types
from monitor.queries.sightings import told
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import Stand, key, stand

ORUM = {"source": "orum", "endpoint": "payouts", "handled": ["transfer.*"], "expected": ["transfer.updated"]}


def said(made: Stand, *types: Any, records: int = 1) -> Any:
    client = {"name": "hookvitals-python", "instance": "pod-1", "started_at": 1, "types": list(types)}
    batch = [made.record(event_id=f"evt_{number}") for number in range(records)]
    return made.post({"client": client, "records": batch}).get_json()


def declared(made: Stand) -> dict[SeriesKey, tuple[set[str], set[str]]]:
    reader = SqliteFactReader(made.front.settings.facts_path)
    found = declared_types(reader, from_us(made.now_us))
    return {each: (set(one.handled), set(one.expected)) for each, one in found.items()}


def test_what_is_declared_can_be_asked_for_by_endpoint(collector: Stand) -> None:
    answer = said(collector, ORUM, {"source": "acme", "endpoint": "a", "environment": "dev"}, records=0)

    assert "client" not in answer
    assert declared(collector) == {
        SeriesKey("production", "orum", "payouts"): ({"transfer.*"}, {"transfer.updated"}),
        SeriesKey("dev", "acme", "a"): (set(), set()),
    }


def test_what_is_said_anew_replaces_and_what_is_not_said_stands(collector: Stand) -> None:
    said(collector, ORUM, {**ORUM, "endpoint": "other"})
    said(collector)
    said(collector, {**ORUM, "handled": [], "expected": []})

    assert declared(collector) == {
        SeriesKey("production", "orum", "payouts"): (set(), set()),
        SeriesKey("production", "orum", "other"): ({"transfer.*"}, {"transfer.updated"}),
    }


def test_what_requests_look_like_is_noted_with_the_event_that_showed_it(collector: Stand) -> None:
    """practice 46"""
    said(collector, {**ORUM, "seen": {"field": {"livemode": "evt_9"}, "made_up": {"x": "evt_9"}}})

    reader = SqliteFactReader(collector.front.settings.facts_path)
    at = from_us(collector.now_us)
    place = SeriesKey("production", "orum", "payouts")
    assert told(reader, at - timedelta(hours=1)) == {
        (place, Aspect.FIELD, "livemode"): Sighting(Aspect.FIELD, "livemode", at, at, "evt_9")
    }
    assert told(reader, at + timedelta(seconds=1)) == {}


def test_a_key_of_some_sources_declares_for_no_others(tmp_path: Path) -> None:
    made = stand(tmp_path, [key(sources=frozenset({"orum"}), environment="production")])
    try:
        said(made, ORUM, {**ORUM, "source": "stripe"}, {**ORUM, "environment": "dev"})
        assert set(declared(made)) == {SeriesKey("production", "orum", "payouts")}
    finally:
        made.store.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "orum"},
        {**ORUM, "handled": ["x" * 257]},
        {**ORUM, "expected": ["a"] * 201},
        {**ORUM, "handled": "transfer.*"},
        {**ORUM, "seen": {"field": 5}},
        {**ORUM, "seen": {"field": {f"k{n}": "evt_1" for n in range(101)}}},
    ],
)
def test_a_declaration_out_of_bounds_costs_the_client_s_counts_and_no_record(
    collector: Stand, wrong: Any
) -> None:
    answer = said(collector, wrong)

    assert answer["accepted"] == 1
    assert answer["client"]["pointer"].startswith("/client/types")
    assert declared(collector) == {}
