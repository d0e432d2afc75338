"""Every route of the management API against every kind of caller; a route missing from the table fails."""

import hashlib
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from monitor.api import problems
from monitor.api.access import Need, install, need_of
from monitor.store.control import Control
from monitor.store.control.keys import ApiKey
from tests.monitor.api.conftest import LEVELS, bearer, by_cookie
from tests.monitor.clocks import FakeClock

ROUTES: dict[tuple[str, str], Need] = {
    ("GET", "/openapi.json"): Need.PUBLIC,
    ("GET", "/events/<source>/<path:event_id>"): Need.READ,
    ("GET", "/records"): Need.READ,
    ("GET", "/records/<record_id>"): Need.READ,
    ("GET", "/series"): Need.READ,
    ("GET", "/stats"): Need.READ,
    ("GET", "/queues"): Need.READ,
    ("GET", "/queues/latest"): Need.READ,
    ("GET", "/clients"): Need.READ,
    ("GET", "/endpoints"): Need.READ,
    ("GET", "/endpoints/<environment>/<source>/<name>/uptime"): Need.READ,
    ("GET", "/endpoints/<environment>/<source>/<name>/checklist"): Need.READ,
    ("POST", "/endpoints/<environment>/<source>/<name>/attestations"): Need.OPERATE,
    ("DELETE", "/endpoints/<environment>/<source>/<name>/attestations/<item>"): Need.OPERATE,
    ("GET", "/sightings"): Need.READ,
    ("GET", "/alerts"): Need.READ,
    ("GET", "/alerts/<fingerprint>"): Need.READ,
    ("GET", "/alerts/history"): Need.READ,
    ("GET", "/silences"): Need.READ,
    ("GET", "/silences/<silence_id>"): Need.READ,
    ("GET", "/issues"): Need.READ,
    ("GET", "/issues/<issue_id>"): Need.READ,
    ("GET", "/dead-letters"): Need.READ,
    ("GET", "/dead-letters/<letter_id>"): Need.READ,
    ("GET", "/replays"): Need.READ,
    ("GET", "/replays/<replay_id>"): Need.READ,
    ("GET", "/replays/<replay_id>/items"): Need.READ,
    ("GET", "/reports"): Need.READ,
    ("GET", "/reports/sla"): Need.READ,
    ("DELETE", "/events/<source>/<path:event_id>/capture"): Need.ADMIN,
    ("GET", "/keys"): Need.ADMIN,
    ("GET", "/users"): Need.ADMIN,
    ("POST", "/alerts/<fingerprint>/acknowledge"): Need.OPERATE,
    ("POST", "/silences"): Need.OPERATE,
    ("POST", "/issues/<issue_id>/resolve"): Need.OPERATE,
    ("DELETE", "/silences/<silence_id>"): Need.OPERATE,
    ("GET", "/dead-letters/<letter_id>/payload"): Need.OPERATE,
    ("POST", "/replays"): Need.OPERATE,
    ("POST", "/replays/plan"): Need.OPERATE,
    ("POST", "/replays/<replay_id>/pause"): Need.OPERATE,
    ("POST", "/replays/<replay_id>/resume"): Need.OPERATE,
    ("POST", "/replays/<replay_id>/cancel"): Need.OPERATE,
    ("PUT", "/endpoints/<environment>/<source>/<name>"): Need.ADMIN,
    ("POST", "/keys"): Need.ADMIN,
    ("DELETE", "/keys/<key_id>"): Need.ADMIN,
    ("POST", "/users"): Need.ADMIN,
    ("PUT", "/users/<name>/password"): Need.ADMIN,
    ("DELETE", "/users/<name>"): Need.ADMIN,
    ("GET", "/audit"): Need.ADMIN,
}
CASES = [(method, rule, caller) for method, rule in ROUTES for caller in ("stranger", *LEVELS)]


def expected(need: Need, caller: str) -> int | None:
    """The status of a refusal; None when the caller gets through, whatever the route then answers."""
    if need is Need.PUBLIC:
        return None
    if caller == "stranger":
        return 401
    return None if LEVELS[caller].rank >= LEVELS[need.value].rank else 403


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

    with_key = client.open(path, method=method, headers=headers).status_code
    if caller != "stranger":
        client.set_cookie("session", caller)
    in_session = client.open(path, method=method).status_code

    refusal = expected(ROUTES[method, rule], caller)
    assert with_key == in_session
    assert with_key == refusal if refusal else with_key not in (401, 403, 405, 500)


@pytest.mark.parametrize(
    "header",
    ["Bearer hv_admin_wrong", "Bearer hv_none_none", "Bearer", "Basic YTpi", "Bearer hv_", "", "Bearer ü"],
)
def test_credentials_that_are_not_good_are_refused_even_beside_a_session(
    client: FlaskClient, header: str
) -> None:
    client.set_cookie("session", "admin")

    answer = client.get("/api/v1/records", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_is_refused_at_once(client: FlaskClient, control: Control, clock: FakeClock) -> None:
    assert client.get("/api/v1/records", headers=bearer("read")).status_code == 200
    with control.write() as tx:
        control.keys.revoke(tx, "read", clock.now())

    assert client.get("/api/v1/records", headers=bearer("read")).status_code == 401


def test_a_key_that_may_only_send_may_not_ask(
    client: FlaskClient, control: Control, clock: FakeClock
) -> None:
    digest = hashlib.sha256(b"secret").hexdigest()
    with control.write() as tx:
        key = ApiKey("sender", digest, "sdk", frozenset({"ingest"}), frozenset(), None, "test", clock.now())
        control.keys.add(tx, key)

    assert client.get("/api/v1/records", headers=bearer("hv_sender_secret")).status_code == 403


def test_a_route_that_states_no_need_is_closed_to_an_admin_too() -> None:
    app = Flask("forgetful", static_folder=None)
    install(app, by_cookie)
    problems.install(app)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")

    stranger = app.test_client()
    stranger.set_cookie("session", "admin")
    answer = stranger.get("/forgotten")

    assert answer.status_code == 403
    assert "secret" not in answer.text
