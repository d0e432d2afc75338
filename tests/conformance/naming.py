"""What names must do: every one a series, codes for all, and caps that hold."""

from monitor.model import SeriesKey
from tests.conformance.counting import lineage
from tests.conformance.store import Store
from tests.facts import RecordFactory


class Naming:
    def test_every_name_is_a_series(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(), make(environment="dev", source="orum")])

        assert set(store.reader.series("production").values()) == set(
            lineage(SeriesKey("production", "stripe", "payments", "invoice.paid"))
        )
        assert len(store.reader.series()) == 8
