"""What is registered, and what is not."""

from monitor.model import UNVERIFIED, SeriesKey
from monitor.worker.cataloguing import verified_places


def test_endpoint_with_a_verified_event_is_registered() -> None:
    series = [
        SeriesKey("production"),
        SeriesKey("production", "stripe"),
        SeriesKey("production", "stripe", "payments"),
        SeriesKey("production", "stripe", "payments", "invoice.paid"),
        SeriesKey("dev", "stripe", "payments", "invoice.paid"),
    ]
    assert verified_places(series) == {("production", "stripe", "payments"), ("dev", "stripe", "payments")}


def test_endpoint_that_only_refused_requests_is_not_registered() -> None:
    series = [SeriesKey("production", "evil", "x"), SeriesKey("production", "evil", "x", UNVERIFIED)]
    assert verified_places(series) == set()
