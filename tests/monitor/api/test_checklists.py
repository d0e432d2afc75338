"""The checklists of an endpoint over HTTP: judged from its traffic, answered for by a person, taken back."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from monitor.model import Outcome
from monitor.store.control import Control
from tests.facts import NOON, Filled, RecordFactory
from tests.monitor.api.conftest import bearer
from tests.monitor.api.test_control_nouns import get
from tests.monitor.api.test_writes import acts, post

AT = "/endpoints/production/stripe/payments"
WORD = {"item": "orum.database", "note": "pool of 20, see PR 7", "for": "90d"}


@pytest.fixture
def endpoint(control: Control, filled: Filled) -> None:
    control.catalog.register([("production", "stripe", "payments")], NOON)
    filled.add([RecordFactory().delivery(Outcome.DUPLICATE, NOON - timedelta(hours=1))])


def items(client: FlaskClient) -> dict[str, Any]:
    return {one["id"]: one for one in get(client, f"{AT}/checklist")["items"]}


@pytest.mark.usefixtures("endpoint")
def test_every_item_has_a_verdict_and_the_figure_behind_it(client: FlaskClient) -> None:
    """practice 45"""
    found = get(client, f"{AT}/checklist")
    assert len(found["items"]) == sum(found["counts"].values()) == 26
    assert set(found["counts"]) == {"pass", "fail", "no evidence yet", "attested"}
    copies = items(client)["orum.idempotent"]
    assert (copies["verdict"], copies["group"], copies["attestation"]) == ("pass", "reliability", None)
    assert copies["evidence_at"] == "2026-11-18T00:00:00Z"
    assert copies["said"].startswith("1 duplicate recognised")


@pytest.mark.usefixtures("endpoint")
def test_a_person_answers_for_an_item_and_takes_it_back(client: FlaskClient, control: Control) -> None:
    made = post(client, f"{AT}/attestations", WORD, status=201)
    assert (made["by"], made["until"]) == ("key operate (test)", "2027-02-16T12:00:00Z")
    found = items(client)["orum.database"]
    assert (found["verdict"], found["attestation"]) == ("attested", made)

    path = f"/api/v1{AT}/attestations/orum.database"
    taken = [client.delete(path, headers=bearer("operate")).status_code for _ in range(2)]
    assert taken == [204, 404]
    assert items(client)["orum.database"]["attestation"] is None
    by = "key operate (test)"
    assert acts(control) == [(by, "checklist.attest"), (by, "checklist.withdraw")]


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("path", "changes", "status", "said"),
    [
        (AT, {"item": "orum.x"}, 404, "no checklist has an item orum.x"),
        (AT, {"note": " "}, 422, "needs a note"),
        (AT, {"for": "500d"}, 422, "at most 400 days"),
        (AT, {"for": "0d"}, 422, "at most 400 days"),
        (AT, {"for": "soon"}, 422, "cannot be used"),
        ("/endpoints/production/stripe/other", {}, 404, "there is no endpoint production/stripe/other"),
    ],
)
def test_a_word_that_nobody_can_rely_on_is_refused(
    client: FlaskClient, control: Control, path: str, changes: dict[str, str], status: int, said: str
) -> None:
    problem = post(client, f"{path}/attestations", WORD | changes, status=status)
    assert said in problem["detail"]
    assert acts(control) == []


def test_an_endpoint_that_nobody_knows_has_no_checklist(client: FlaskClient) -> None:
    answer = client.get(f"/api/v1{AT}/checklist", headers=bearer("read"))
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
