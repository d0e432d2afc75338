"""The front's copy of the names: what it asks, what it remembers."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from monitor.collector.columns import columns_of
from monitor.collector.names import Names
from monitor.collector.wire import RecordIn
from monitor.errors import TooLarge
from monitor.model import OTHER, SeriesKey


class Counting:
    """A writer that codes names by counting, with room for so many types and classes."""

    def __init__(self, types: int = 1000, classes: int = 1000, sources: int = 1000) -> None:
        self.types, self.classes, self.sources = types, classes, sources
        self.asked = 0
        self.codes: dict[Any, int] = {}

    def intern_series(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, int]:
        self.asked += len(keys)
        found: dict[SeriesKey, int] = {}
        for key in keys:
            known = [k for k in self.codes if isinstance(k, SeriesKey)]
            sources = {k.source for k in known} | {key.source}
            if len(sources) > self.sources:
                raise TooLarge(f"no room for {key.source}")
            kept = key
            if key not in self.codes and sum(k.event_type is not None for k in known) >= self.types:
                kept = SeriesKey(key.environment, key.source, key.endpoint, OTHER)
            for each in (kept, kept.parent):
                if each is not None:
                    found[each] = self.codes.setdefault(each, len(self.codes) + 1)
            found[key] = found[kept]
        return found

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        self.asked += len(names)
        found = {}
        for endpoint, name in names:
            full = sum(isinstance(k, tuple) for k in self.codes) >= self.classes
            kept = (endpoint, name) if (endpoint, name) in self.codes or not full else (endpoint, OTHER)
            found[endpoint, name] = found[kept] = self.codes.setdefault(kept, len(self.codes) + 1)
        return found


def columns(*changes: Mapping[str, object]) -> Any:
    stated = {
        "source": "orum",
        "endpoint": "payouts",
        "received_at": 1,
        "outcome": "failed",
        "event_id": "e",
        "event_type": "t",
    }
    return columns_of([msgspec.convert({**stated, **change}, RecordIn) for change in changes])


def names(writer: Counting) -> Names:
    return Names(writer)  # type: ignore[arg-type]  # only interning is asked of it


def test_known_names_are_asked_for_once() -> None:
    writer = Counting()
    front = names(writer)
    batch = columns({}, {"event_type": "u", "error_class": "E"}, {})
    first = front.coded(batch)
    asked = writer.asked

    assert front.coded(batch) == first
    assert writer.asked == asked
    assert first.routes[0] == first.routes[2] != first.routes[1]
    assert first.errors[0] == 0 != first.errors[1]


def test_name_over_its_cap_keeps_its_text() -> None:
    front = names(Counting(types=1, classes=1))
    coded = front.coded(columns({"error_class": "E"}, {"event_type": "u", "error_class": "F"}))

    assert (coded.capped_types, coded.capped_errors) == ({1: "u"}, {1: "F"})
    assert front.coded(columns({"event_type": "u"})).capped_types == {0: "u"}


def test_names_over_the_cap_do_not_fill_the_memory() -> None:
    front = names(Counting(types=1))
    for start in range(0, 20_000, 500):
        front.coded(columns(*({"event_type": f"t{start + i}"} for i in range(500))))

    assert len(front._routes) + len(front._capped_routes) < 5_000


def test_record_without_room_for_its_source_is_refused_by_place() -> None:
    front = names(Counting(sources=1))
    coded = front.coded(columns({}, {"source": "another"}, {}))

    assert list(coded.refused) == [1]
    assert "another" in coded.refused[1]
    assert front.coded(columns({}, {})).refused == {}


def test_sample_of_an_endpoint_without_room_says_so() -> None:
    front = names(Counting(sources=1))
    assert front.endpoint("production", "orum", "payouts")
    with pytest.raises(TooLarge):
        front.endpoint("production", "another", "payouts")
