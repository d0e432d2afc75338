"""What one rollup must answer: quantiles, exemplars, errors, and no more than was asked for."""

import math
from collections import Counter

import pytest

from monitor.clock import to_us
from monitor.histogram import RELATIVE_ERROR
from monitor.model import DEFAULT_ENVIRONMENT, Duration, Grain, Record, SeriesKey
from monitor.store.facts.protocol import Parts
from tests.conformance.counting import counts_process, is_ordinary
from tests.conformance.store import DAY, EVERYTHING, HOUR, MINUTE, PAYMENTS, Store, ever, fill_in_parts
from tests.facts import NOON, RecordFactory


class Figures:
    def test_distributions_answer_quantiles_within_their_error(
        self, store: Store, many: list[Record]
    ) -> None:
        fill_in_parts(store, many, 1)
        found = ever(store).distribution(Duration.PROCESS)

        taken = sorted(r.process_ms for r in many if counts_process(r) and r.process_ms is not None)
        assert found.count == len(taken)
        assert found.mean() == pytest.approx(sum(taken) / len(taken))
        for q in (0.5, 0.95, 0.99):
            exact = taken[max(1, math.ceil(q * len(taken))) - 1]
            assert found.quantile(q) == pytest.approx(exact, rel=RELATIVE_ERROR * 1.01)

    @pytest.mark.parametrize("folded", [0, 2], ids=["unfolded", "folded"])
    def test_only_the_parts_asked_for_are_read(self, store: Store, many: list[Record], folded: int) -> None:
        fill_in_parts(store, many, folded)
        start_us, end_us = to_us(NOON - 2 * DAY), to_us(NOON + 2 * DAY)
        parts = Parts((Duration.ACK,), exemplars=False)

        found = [
            store.reader.ever([EVERYTHING], parts)[EVERYTHING],
            store.reader.total([EVERYTHING], start_us, end_us, parts)[EVERYTHING],
            *store.reader.rollups([EVERYTHING], Grain.EVER, 0, 1, 1, parts)[EVERYTHING].values(),
        ]

        whole = ever(store)
        assert len(found) == 3
        for rollup in found:
            assert rollup.counts == whole.counts
            assert rollup.distribution(Duration.ACK) == whole.distribution(Duration.ACK)
            assert rollup.distribution(Duration.PROCESS).count == 0
            assert (rollup.exemplars.slowest, dict(rollup.exemplars.failures)) == (None, {})

    def test_exemplars_name_the_slowest_attempt_and_the_latest_failures(
        self, store: Store, many: list[Record]
    ) -> None:
        fill_in_parts(store, many, 1)
        found = ever(store)

        slow = max((r for r in many if counts_process(r)), key=lambda r: (r.process_ms or 0, r.record_id))
        assert found.exemplars.slowest == (round((slow.process_ms or 0) * 1000), slow.record_id.bytes)
        latest = {}
        for record in sorted(many, key=lambda r: r.record_id):
            if record.error_class and is_ordinary(record):
                latest[record.source, record.endpoint, record.error_class] = record.record_id.bytes
        assert sorted(found.exemplars.failures.values()) == sorted(latest.values())

    def test_errors_have_names(self, store: Store, many: list[Record]) -> None:
        store.fill.add(many)
        errors = ever(store).errors()
        names = store.reader.error_names(list(errors))

        by_name: Counter[str] = Counter()
        for code, n in errors.items():
            by_name[names[code]] += n
        assert by_name == Counter(r.error_class for r in many if r.error_class and is_ordinary(r))

    def test_last_seen_is_the_newest_minute(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(at=NOON), make(at=NOON - HOUR, endpoint="refunds")])
        store.writer.fold()
        store.fill.add([make(at=NOON + 90 * MINUTE)])
        refunds = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "refunds")
        silent = SeriesKey(DEFAULT_ENVIRONMENT, "stripe", "silent")

        found = store.reader.last_seen([PAYMENTS, refunds, silent])

        assert found == {PAYMENTS: to_us(NOON + 90 * MINUTE), refunds: to_us(NOON - HOUR)}
