"""Every route of the management API against every kind of caller; a route missing from the table fails."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from monitor.api import problems
from monitor.api.access import Need, install, need_of
from tests.monitor.api.conftest import LEVELS, bearer, by_word

ROUTES: dict[tuple[str, str], Need] = {
    ("GET", "/openapi.json"): Need.PUBLIC,
    ("GET", "/events/<source>/<path:event_id>"): Need.READ,
    ("GET", "/records"): Need.READ,
    ("GET", "/records/<record_id>"): Need.READ,
    ("GET", "/series"): Need.READ,
    ("GET", "/stats"): Need.READ,
    ("GET", "/queues"): Need.READ,
    ("GET", "/endpoints"): Need.READ,
    ("GET", "/alerts"): Need.READ,
    ("GET", "/alerts/<fingerprint>"): Need.READ,
    ("GET", "/silences"): Need.READ,
    ("GET", "/dead-letters"): Need.READ,
    ("GET", "/dead-letters/<letter_id>"): Need.READ,
    ("GET", "/replays"): Need.READ,
    ("GET", "/replays/<replay_id>"): Need.READ,
    ("GET", "/replays/<replay_id>/items"): Need.READ,
    ("GET", "/reports"): Need.READ,
    ("GET", "/reports/sla"): Need.READ,
    ("GET", "/keys"): Need.ADMIN,
    ("GET", "/users"): Need.ADMIN,
    ("GET", "/audit"): Need.ADMIN,
}
CASES = [(method, rule, caller) for method, rule in ROUTES for caller in ("stranger", *LEVELS)]


def expected(need: Need, caller: str) -> int | None:
    """The status of a refusal; None when the caller gets through, whatever the route then answers."""
    if need is Need.PUBLIC:
        return None
    if caller == "stranger":
        return 401
    return None if LEVELS.index(caller) >= LEVELS.index(need.value) else 403


def test_the_table_names_every_route_and_what_it_needs(api: Flask) -> None:
    stated = {
        (method, rule.rule): need_of(api.view_functions[rule.endpoint])
        for rule in api.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert stated == ROUTES


@pytest.mark.parametrize(("method", "rule", "caller"), CASES)
def test_a_route_lets_in_whom_the_table_says(
    client: FlaskClient, method: str, rule: str, caller: str
) -> None:
    path = "/api/v1" + re.sub(r"<[^>]*>", "00000000-0000-7000-8000-000000000000", rule)
    headers = {} if caller == "stranger" else bearer(caller)

    status = client.open(path, method=method, headers=headers).status_code

    refusal = expected(ROUTES[method, rule], caller)
    assert status == refusal if refusal else status not in (401, 403, 405, 500)


@pytest.mark.parametrize("caller", LEVELS)
def test_a_key_nobody_knows_is_refused_like_none(client: FlaskClient, caller: str) -> None:
    answer = client.get("/api/v1/records", headers=bearer(f"{caller}x"))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_route_that_states_no_need_is_closed_to_an_admin_too() -> None:
    app = Flask("forgetful", static_folder=None)
    install(app, by_word)
    problems.install(app)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")

    answer = app.test_client().get("/forgotten", headers=bearer("admin"))

    assert answer.status_code == 403
    assert "secret" not in answer.text
