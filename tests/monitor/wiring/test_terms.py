"""What an endpoint's sender expects comes from the endpoint, then its source, then the provider's own
page."""

from datetime import UTC, date, datetime, timedelta

import pytest

from alerts.model import Terms
from monitor.config import Document
from monitor.config.tables import SloTable
from monitor.model import SeriesKey
from monitor.store.control.catalog import Endpoint, ManagedBy, Source
from monitor.wiring.terms import terms_of

AT = datetime(2026, 11, 18, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def terms(source: Source, endpoint_deadline: timedelta | None = None, **tables: object) -> Terms:
    endpoint = Endpoint(
        "production", source.name, "payments", ManagedBy.FILE, AT, ack_deadline=endpoint_deadline
    )
    document = Document.model_validate(tables)
    return terms_of([source], [endpoint], document)[SeriesKey("production", source.name, "payments")]


@pytest.mark.parametrize(("source", "seconds"), [("orum", 30), ("hopnow", 5), ("scalekit", 10), ("own", 30)])
def test_a_source_that_was_only_seen_has_its_providers_deadline(source: str, seconds: float) -> None:
    found = terms(Source(source, ManagedBy.SEEN, AT))
    assert found.ack_deadline == seconds * SECOND
    assert 201 in found.expected_statuses


def test_what_is_declared_goes_before_what_is_known() -> None:
    declared = Source(
        "hopnow",
        ManagedBy.FILE,
        AT,
        ack_deadline=7 * SECOND,
        expected_statuses=(202,),
        retry_horizon=timedelta(hours=2),
    )
    assert terms(declared) == Terms(7 * SECOND, (202,), timedelta(hours=2))
    assert terms(declared, endpoint_deadline=3 * SECOND).ack_deadline == 3 * SECOND


def test_the_strictest_slo_that_covers_an_endpoint_counts() -> None:
    source = Source("stripe", ManagedBy.SEEN, AT)
    slos = [
        SloTable(name="all", objective=0.99),
        SloTable(name="money", source="str*", endpoint="payments", objective=0.999),
        SloTable(name="other", source="orum", objective=0.9999),
    ]
    assert terms(source, slos=slos).objective == 0.999
    assert terms(source).objective is None


def test_the_last_days_of_secrets_are_those_of_the_endpoints_own_source() -> None:
    tables = [
        {"name": "stripe", "secrets": [{"id": "5f3a9c01", "remove_after": date(2026, 12, 1)}]},
        {"name": "orum", "secrets": [{"id": "77777777", "remove_after": "2026-11-01"}]},
    ]
    found = terms(Source("stripe", ManagedBy.SEEN, AT), sources=tables)
    assert found.remove_after == {"5f3a9c01": date(2026, 12, 1)}
