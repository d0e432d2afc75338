"""Clients over HTTP: what each made, what was stored, and what nobody accounts for."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from monitor.clock import to_us
from monitor.store.facts.protocol import ClientCounts
from tests.facts import NOON, Filled, RecordFactory
from tests.monitor.api.conftest import bearer


def said(produced: int, spooled: int, seconds_ago: float = 5, **dropped: int) -> ClientCounts:
    seen_us = to_us(NOON - timedelta(seconds=seconds_ago))
    return ClientCounts("shop", "1.0", "pod-1", 0, seen_us, 1_500_000, produced, spooled, dropped, {})


def test_client_is_shown_with_what_is_missing(client: FlaskClient, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make() for _ in range(7)], client=said(20, 3, full=4, rejected_invalid=1))

    answer = client.get("/api/v1/clients", headers=bearer("read"))

    assert answer.status_code == 200
    (one,) = answer.get_json()["clients"]
    assert (one["name"], one["instance"], one["skew_s"]) == ("shop", "pod-1", 1.5)
    assert (one["produced"], one["accepted"], one["spooled"]) == (20, 7, 3)
    assert (one["dropped"], one["missing"]) == ({"full": 4, "rejected_invalid": 1}, 20 - 7 - 3 - 5)


def test_only_clients_heard_of_lately_are_shown(client: FlaskClient, filled: Filled) -> None:
    filled.add([], client=said(1, 0, seconds_ago=7200))

    found = [
        len(client.get(f"/api/v1/clients?window={window}", headers=bearer("read")).get_json()["clients"])
        for window in ("1h", "3h", "31d")
    ]
    assert found == [0, 1, 1]


@pytest.mark.parametrize("window", ["32d", "0s", "soon"])
def test_window_that_is_none_is_refused(client: FlaskClient, filled: Filled, window: str) -> None:
    answer = client.get(f"/api/v1/clients?window={window}", headers=bearer("read"))

    assert answer.status_code == 422
