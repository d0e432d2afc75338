"""What was seen of senders over HTTP: by endpoint and aspect, a page at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from alerts.sightings import Aspect, Sighting
from monitor.api.paging import cursor_of
from monitor.model import SeriesKey
from monitor.store.control import Control
from tests.control import lead
from tests.facts import NOON
from tests.monitor.api.conftest import bearer
from tests.monitor.api.test_control_nouns import get

PLACE = SeriesKey("production", "stripe", "payments")
SEEN = Sighting(Aspect.TYPE, "invoice.paid", NOON - timedelta(days=9), NOON, "0193")


@pytest.fixture
def seen(control: Control) -> None:
    address = Sighting(Aspect.ADDRESS, "203.0.113.7", NOON - timedelta(hours=1), NOON, "0194")
    elsewhere = replace(PLACE, endpoint="refunds")
    types = [replace(SEEN, value=f"type\n{'ü' * 200}{number}") for number in range(4)]
    control.sightings.note(
        [(PLACE, SEEN), (PLACE, address), (elsewhere, SEEN), *((PLACE, one) for one in types)], lead(control)
    )


@pytest.mark.usefixtures("seen")
def test_what_was_new_last_comes_first_with_its_times_and_a_sample(client: FlaskClient) -> None:
    [first] = get(client, "/sightings?source=stripe&limit=1")["sightings"]
    assert first == {
        "environment": "production",
        "source": "stripe",
        "endpoint": "payments",
        "aspect": "address",
        "value": "203.0.113.7",
        "first_seen_at": "2026-11-18T11:00:00Z",
        "last_seen_at": "2026-11-18T12:00:00Z",
        "sample": "0194",
    }
    types = get(client, "/sightings?endpoint=payments&aspect=event%20type")["sightings"]
    assert {one["aspect"] for one in types} == {"event type"}
    assert len(types) == 5


@pytest.mark.usefixtures("seen")
def test_pages_show_each_value_once_whatever_stands_in_it(client: FlaskClient) -> None:
    shown: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(client, "/sightings?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        shown += [(one["endpoint"], one["value"]) for one in page["sightings"]]
        cursor = page["next_cursor"]
    assert len(shown) == len(set(shown)) == 7


@pytest.mark.parametrize("key", ["1", "x\na\nb\nc\nd\ne", f"{10**30}\na\nb\nc\nd\ne", "1\na\nb"])
def test_a_cursor_that_no_page_gave_out_is_refused(client: FlaskClient, key: str) -> None:
    answer = client.get(f"/api/v1/sightings?cursor={cursor_of(key)}", headers=bearer("read"))
    assert answer.status_code == 422
    assert "not one of ours" in answer.get_json()["detail"]
