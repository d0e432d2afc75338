"""Pages, events and single records, against what was stored."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.data import records as data
from dashboard.data.catalog import Catalog
from dashboard.data.reports import document, weeks
from dashboard.pages.events import filled
from dashboard.scope import Scope
from dashboard.views import EventPage
from monitor.config.document import Document
from monitor.errors import NotFound, Unprocessable
from monitor.model import Outcome, Record
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.dashboard.canned import CannedReads
from tests.facts import NOON, RecordFactory, mixed, sqlite_facts

HOUR = timedelta(hours=1)
NOW = NOON + HOUR
SCOPE = Scope("production", "6h")


@pytest.fixture(scope="module")
def stored() -> list[Record]:
    return sorted(mixed(1200, seed=9, start=NOON, over=HOUR), key=lambda r: r.record_id.bytes, reverse=True)


@pytest.fixture(scope="module")
def reader(stored: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteFactReader]:
    with sqlite_facts(tmp_path_factory.mktemp("facts")) as (fill, opened):
        fill.add(stored)
        yield opened


def walked(reader: SqliteFactReader, scope: Scope, limit: int) -> list[str]:
    """Every id that paging shows, in its order."""
    found: list[str] = []
    before: str | None = None
    while True:
        page = data.page(reader, scope, limit, before, NOW)
        found += [str(record.record_id) for record in page.records]
        before = page.next_before
        if before is None:
            return found


def test_paging_shows_every_record_once_newest_first(reader: SqliteFactReader, stored: list[Record]) -> None:
    assert walked(reader, SCOPE, 100) == [str(record.record_id) for record in stored]


def test_a_filter_shows_what_matches_and_no_more(reader: SqliteFactReader, stored: list[Record]) -> None:
    scope = SCOPE.with_filters(
        source="stripe", endpoint="refunds", outcome="failed,dead_lettered", error="KeyError"
    )
    wanted = [
        str(r.record_id)
        for r in stored
        if (r.source, r.endpoint, r.error_class) == ("stripe", "refunds", "KeyError")
    ]
    assert wanted
    assert walked(reader, scope, 7) == wanted


def test_a_range_leaves_out_what_is_older(reader: SqliteFactReader, stored: list[Record]) -> None:
    scope = Scope("production", "15m")
    since = NOW + timedelta(minutes=1) - timedelta(minutes=15)
    assert walked(reader, scope, 100) == [str(r.record_id) for r in stored if r.recorded_at >= since]


def test_an_outcome_that_is_none_is_ignored(reader: SqliteFactReader, stored: list[Record]) -> None:
    assert len(walked(reader, SCOPE.with_filters(outcome="exploded"), 500)) == len(stored)


def test_an_event_has_all_its_records_oldest_first(reader: SqliteFactReader, stored: list[Record]) -> None:
    event = next(r for r in stored if r.event_id and sum(o.event_id == r.event_id for o in stored) > 2)
    wanted = [
        r.record_id for r in reversed(stored) if (r.source, r.event_id) == (event.source, event.event_id)
    ]
    found = data.of_event(reader, "production", event.source, event.event_id or "")
    assert [r.record_id for r in found] == wanted


def test_an_event_is_found_by_its_id_alone(reader: SqliteFactReader, stored: list[Record]) -> None:
    event = next(r for r in stored if r.event_id)
    places = {(r.source, r.endpoint) for r in stored if r.event_id == event.event_id}
    assert set(data.places(reader, "production", event.event_id or "")) == places
    assert data.places(reader, "production", "evt_never") == []
    assert data.places(reader, "staging", event.event_id or "") == []


def test_an_exemplar_that_is_gone_is_left_out(reader: SqliteFactReader, stored: list[Record]) -> None:
    gone = str(RecordFactory()(at=NOON - HOUR).record_id)
    assert data.several(reader, [gone, "not an id", str(stored[0].record_id)]) == [stored[0]]


class Sparse(CannedReads):
    """A store whose scans end before they find anything."""

    def records(self, scope: Scope, limit: int, before: str | None, now: object) -> EventPage:
        step = int(before or 0) + 1
        found = [RecordFactory(made=step)(Outcome.FAILED)] if step % 3 == 0 else []
        return EventPage(found, str(step) if step < 9 else None)


def test_a_block_looks_on_when_the_store_found_little() -> None:
    page = filled(Sparse(), SCOPE, 2, None, NOW)
    assert len(page.records) == 2
    assert page.next_before == "6"
    assert len(filled(Sparse(), SCOPE, 100, None, NOW).records) == 3


def test_the_report_of_a_week_is_served_in_three_forms(reader: SqliteFactReader) -> None:
    catalog = Catalog(Document())
    for form, content_type, token in (
        ("html", "text/html", b"2026-W47"),
        ("csv", "text/csv", b"stripe"),
        ("json", "application/json", b'"week": "2026-W47"'),
    ):
        found_type, body = document(reader, catalog, "production", "2026-W47", form, NOW)
        assert found_type.startswith(content_type)
        assert token in body


def test_what_is_no_week_and_no_form_is_refused(reader: SqliteFactReader) -> None:
    with pytest.raises(Unprocessable):
        document(reader, Catalog(Document()), "production", "2026-W60", "html", NOW)
    with pytest.raises(NotFound):
        document(reader, Catalog(Document()), "production", "2026-W47", "pdf", NOW)


def test_the_running_week_comes_first() -> None:
    assert weeks(ZoneInfo("UTC"), NOW)[:3] == ["2026-W47", "2026-W46", "2026-W45"]
