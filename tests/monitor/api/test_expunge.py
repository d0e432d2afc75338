"""What was captured of an event, removed through the API."""

from flask.testing import FlaskClient

from monitor.model import Outcome
from monitor.operations import Desk
from tests.facts import NOON, Captured, Filled, RecordFactory
from tests.monitor.api.conftest import bearer

PATH = "/api/v1/events/stripe/evt/1/capture"


make = RecordFactory()


def capture(filled: Filled, endpoint: str) -> None:
    record = make(Outcome.SUCCEEDED, NOON, event_id="evt/1", endpoint=endpoint)
    filled.captures[record.record_id] = Captured(b"sealed")
    filled.add([record])


def test_capture_is_removed_and_the_answer_counts(client: FlaskClient, filled: Filled, desk: Desk) -> None:
    capture(filled, "payments")
    capture(filled, "refunds")

    answer = client.delete(f"{PATH}?reason=erasure&endpoint=payments", headers=bearer("admin"))

    assert answer.get_json() == {"captures": 1, "letters": 0, "records": 0, "is_settled": True}
    assert desk.facts.capture("production", "stripe", "payments", "evt/1") is None
    assert desk.facts.capture("production", "stripe", "refunds", "evt/1") is not None
    asked = desk.control.audit.page(2)[1]
    assert (asked.action, asked.via, asked.detail["reason"]) == ("event.expunge", "api", "erasure")


def test_reason_must_be_given(client: FlaskClient, filled: Filled) -> None:
    capture(filled, "payments")
    assert client.delete(PATH, headers=bearer("admin")).status_code == 422
    assert client.delete(f"{PATH}?reason=+", headers=bearer("admin")).status_code == 422


def test_unknown_event_is_not_found(client: FlaskClient) -> None:
    answer = client.delete(f"{PATH}?reason=erasure", headers=bearer("admin"))
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
