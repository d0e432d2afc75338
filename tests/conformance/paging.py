"""What pages must show: every record once, newest first, whatever the filter."""

import pytest

from monitor.clock import to_us
from monitor.model import OUTCOMES, TROUBLED, Outcome, Record
from monitor.store.facts.protocol import RecordFilter, pages
from tests.conformance.counting import matches
from tests.conformance.store import HOUR, MINUTE, Store, newest_first
from tests.facts import NOON, RecordFactory


class Paging:
    def test_pages_show_every_record_once_newest_first(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)

        found = list(pages(store.reader, RecordFilter(), 17))

        assert found == newest_first(many)

    @pytest.mark.parametrize(
        "wanted",
        [
            RecordFilter(environment="production"),
            RecordFilter(source="stripe"),
            RecordFilter(source="stripe", endpoint="refunds"),
            RecordFilter(event_type="invoice.voided"),
            RecordFilter(environment="production", source="orum", event_type="invoice.paid"),
            *(RecordFilter(outcomes=(outcome,)) for outcome in OUTCOMES),
            RecordFilter(outcomes=(Outcome.FAILED, Outcome.DEAD_LETTERED)),
            RecordFilter(outcomes=(Outcome.FAILED, Outcome.DEAD_LETTERED), source="orum"),
            RecordFilter(outcomes=(Outcome.SUCCEEDED, Outcome.FAILED), endpoint="payments"),
            RecordFilter(outcomes=TROUBLED),
            RecordFilter(error_class="KeyError"),
            RecordFilter(error_class="KeyError", outcomes=(Outcome.FAILED,), source="stripe"),
            RecordFilter(since_us=to_us(NOON)),
            RecordFilter(until_us=to_us(NOON)),
            RecordFilter(since_us=to_us(NOON - HOUR), until_us=to_us(NOON + HOUR), source="stripe"),
            RecordFilter(outcomes=(Outcome.REJECTED,), since_us=to_us(NOON - HOUR), until_us=to_us(NOON)),
        ],
        ids=repr,
    )
    def test_each_filter_finds_exactly_its_records(
        self, store: Store, many: list[Record], wanted: RecordFilter
    ) -> None:
        store.fill.add(many)

        found = list(pages(store.reader, wanted, 10))

        expected = [record for record in newest_first(many) if matches(wanted, record)]
        assert found == expected
        assert 0 < len(found) < len(many) or wanted.environment

    @pytest.mark.parametrize(
        "wanted",
        [
            RecordFilter(source="nobody"),
            RecordFilter(source="orum", endpoint="payments"),
            RecordFilter(error_class="Unheard"),
            RecordFilter(since_us=to_us(NOON), until_us=to_us(NOON)),
            RecordFilter(environment="dev"),
        ],
        ids=repr,
    )
    def test_a_filter_that_nothing_fits_gives_an_empty_last_page(
        self, store: Store, many: list[Record], wanted: RecordFilter
    ) -> None:
        store.fill.add(many)

        page = store.reader.page(wanted, 10)

        assert (list(page.records), page.next_before) == ([], None)

    def test_the_last_full_page_has_no_next(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make() for _ in range(10)])

        page = store.reader.page(RecordFilter(), 10)

        assert (len(page.records), page.next_before) == (10, None)

    def test_records_that_arrive_while_paging_move_nothing(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make() for _ in range(10)])
        first = store.reader.page(RecordFilter(), 5)
        store.fill.add([make(at=NOON + MINUTE) for _ in range(10)])

        second = store.reader.page(RecordFilter(), 5, first.next_before)

        numbers = [record.event_id for record in (*first.records, *second.records)]
        assert numbers == [f"evt_{n}" for n in range(10, 0, -1)]
