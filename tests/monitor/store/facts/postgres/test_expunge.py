"""What was captured of an event, removed from PostgreSQL."""

from collections.abc import Iterator

import pytest

from monitor.maintain.verify import verify
from monitor.model import Outcome
from monitor.store.facts.expunging import Expunge, Expunged
from monitor.store.facts.postgres.reader import PostgresFactReader
from monitor.store.facts.postgres.setup import create
from tests.conformance.store import DAY
from tests.facts import NOON, Captured, Filled, RecordFactory
from tests.postgres_facts import postgres_facts

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(postgres_url: str) -> Iterator[tuple[Filled, PostgresFactReader]]:
    create(postgres_url)
    with postgres_facts(postgres_url) as opened:
        yield opened


def test_capture_goes_and_every_count_stays(store: tuple[Filled, PostgresFactReader]) -> None:
    filled, reader = store
    make = RecordFactory()
    made = [
        make(Outcome.DEAD_LETTERED, NOON, event_id="evt_1", has_capture=True, remote_ip="203.0.113.7"),
        make(Outcome.DEAD_LETTERED, NOON, event_id="evt_1", has_capture=True, endpoint="refunds"),
        make(Outcome.DEAD_LETTERED, NOON, event_id="evt_2", has_capture=True),
    ]
    filled.captures.update({record.record_id: Captured(b"sealed") for record in made})
    filled.add(made)

    done = filled.writer.expunge(Expunge("stripe", "evt_1", endpoint="payments", details=True))

    assert done == Expunged(captures=1, records=1, is_settled=True)
    assert reader.capture("production", "stripe", "payments", "evt_1") is None
    assert reader.capture("production", "stripe", "refunds", "evt_1") is not None
    assert reader.capture("production", "stripe", "payments", "evt_2") is not None
    blank = reader.get(made[0].record_id)
    assert blank is not None
    assert (blank.has_capture, blank.remote_ip, blank.error_message) == (False, None, None)
    assert verify(reader, NOON - DAY, NOON + DAY).differences == []
    assert filled.writer.expunge(Expunge("stripe", "evt_1", endpoint="payments", details=True)).records == 0


def test_event_that_no_store_can_hold_is_not_there(store: tuple[Filled, PostgresFactReader]) -> None:
    filled, _ = store
    assert filled.writer.expunge(Expunge("stripe", "evt\0")).captures == 0
