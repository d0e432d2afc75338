"""What the API changes: each act is done once, audited in its caller's name, refused with a reason."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from alerts.model import State
from monitor.dead_letters import LetterState
from monitor.operations import Desk
from monitor.operations.actor import Actor
from monitor.operations.endpoints import EndpointChange
from monitor.operations.endpoints import put as put_endpoint
from monitor.store.control import Control
from monitor.store.control.accounts import Role
from tests.alerts.samples import alert
from tests.facts import NOON
from tests.monitor.api.conftest import bearer
from tests.monitor.api.test_control_nouns import died
from tests.monitor.clocks import FakeClock

OPERATE, ADMIN = bearer("operate"), bearer("admin")
REPLAY_SECRET = "whsec_" + "QUFB" * 8


def post(
    client: FlaskClient, path: str, body: Any, headers: dict[str, str] = OPERATE, status: int = 200
) -> Any:
    answer = client.post(f"/api/v1{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def acts(control: Control) -> list[tuple[str, str]]:
    """(actor, action) of every audited act, oldest first."""
    return [(act.actor, act.action) for act in reversed(control.audit.page())]


@pytest.fixture
def replayable(desk: Desk, control: Control) -> list[str]:
    """Three letters whose endpoint can take a replay."""
    change = EndpointChange(
        "production", "stripe", "payments", "https://app.example.com/hooks", replay_secret=REPLAY_SECRET
    )
    put_endpoint(desk, Actor("setup", Role.ADMIN, "cli"), change)
    return [died(control, number).id for number in range(3)]


def test_an_acknowledged_alert_names_who_took_it_on(client: FlaskClient, control: Control) -> None:
    firing = alert()
    with control.write() as tx:
        control.alerts.put(tx, firing, [])

    shown = post(client, f"/alerts/{firing.fingerprint}/acknowledge", {"note": "on it"})

    assert (shown["ack"]["by"], shown["ack"]["note"]) == ("key operate (test)", "on it")
    assert acts(control) == [("key operate (test)", "alert.acknowledge")]


def test_an_alert_that_is_over_cannot_be_taken_on(client: FlaskClient, control: Control) -> None:
    over = alert(state=State.RESOLVED)
    with control.write() as tx:
        control.alerts.put(tx, over, [])

    problem = post(client, f"/alerts/{over.fingerprint}/acknowledge", {}, status=409)

    assert problem["code"] == "conflict"
    assert acts(control) == []


def test_a_silence_is_made_and_ended(client: FlaskClient, control: Control) -> None:
    until = (NOON + timedelta(hours=1)).isoformat()
    body = {"matchers": {"source": "stripe"}, "ends_at": until, "comment": "deploy"}

    made = post(client, "/silences", body, status=201)
    ended = client.delete(f"/api/v1/silences/{made['id']}", headers=OPERATE)
    again = client.delete(f"/api/v1/silences/{made['id']}", headers=OPERATE)

    assert made["starts_at"] == "2026-11-18T12:00:00Z"
    assert (ended.status_code, again.status_code) == (204, 404)
    assert [action for _, action in acts(control)] == ["silence.create", "silence.expire"]


def test_a_replay_is_planned_started_paused_and_cancelled(
    client: FlaskClient, control: Control, replayable: list[str]
) -> None:
    plan = post(client, "/replays/plan", {"letter_ids": [*replayable, "nobody"]})
    started = post(client, "/replays", {"letter_ids": replayable, "reason": "ledger is back"}, status=201)
    paused = post(client, f"/replays/{started['id']}/pause", {"reason": "lunch"})
    resumed = post(client, f"/replays/{started['id']}/resume", {})
    cancelled = post(client, f"/replays/{started['id']}/cancel", {})

    assert plan["to_send"] == replayable
    assert [(row["reason"], row["letters"]) for row in plan["refusals"]] == [("unknown_letter", 1)]
    assert (started["state"], started["items"], started["reason"]) == (
        "running",
        {"planned": 3},
        "ledger is back",
    )
    assert [shown["state"] for shown in (paused, resumed, cancelled)] == ["paused", "running", "cancelled"]
    assert cancelled["items"] == {"skipped": 3}
    assert [action for _, action in acts(control)][1:] == [
        "replay.start", "replay.pause", "replay.resume", "replay.cancel"
    ]  # fmt: skip


def test_letters_in_one_replay_are_not_taken_into_another(client: FlaskClient, replayable: list[str]) -> None:
    post(client, "/replays", {"letter_ids": replayable, "reason": "first"}, status=201)

    problem = post(client, "/replays", {"letter_ids": replayable, "reason": "second"}, status=422)

    assert "in_another_replay" in problem["detail"]


def test_a_letter_stays_open_until_its_record_comes_back(
    client: FlaskClient, control: Control, replayable: list[str]
) -> None:
    post(client, "/replays", {"letter_ids": replayable, "reason": "try"}, status=201)

    letter = control.letters.get(replayable[0])

    assert letter is not None
    assert letter.state is LetterState.OPEN


def test_a_new_key_works_shows_its_token_once_and_can_be_revoked(
    client: FlaskClient, control: Control
) -> None:
    made = post(client, "/keys", {"name": "grafana", "scopes": ["read"]}, ADMIN, 201)
    headers = {"Authorization": f"Bearer {made['token']}"}

    works = client.get("/api/v1/records", headers=headers).status_code
    listed = client.get("/api/v1/keys", headers=ADMIN).get_data(as_text=True)
    client.delete(f"/api/v1/keys/{made['id']}", headers=ADMIN)
    refused = client.get("/api/v1/records", headers=headers).status_code

    assert (works, refused) == (200, 401)
    assert made["token"].split("_")[2] not in listed + str(control.audit.page())


def test_a_user_is_made_given_a_password_and_shut_out(client: FlaskClient, control: Control) -> None:
    body = {"name": "bob", "password": "correct horse battery", "role": "operator"}
    made = post(client, "/users", body, ADMIN, 201)
    changed = client.put("/api/v1/users/bob/password", json={"password": "another long one"}, headers=ADMIN)
    shut = client.delete("/api/v1/users/bob", headers=ADMIN)

    account = control.accounts.get("bob")
    assert (made["role"], changed.status_code, shut.status_code) == ("operator", 204, 204)
    assert account is not None
    assert account.disabled_at is not None
    assert "horse" not in str(control.audit.page())


def test_a_refused_body_does_not_repeat_a_password(client: FlaskClient) -> None:
    problem = post(client, "/users", {"name": "bob", "password": ["hunter2hunter2"]}, ADMIN, 422)

    assert problem["errors"][0]["pointer"] == "/password"
    assert "hunter2" not in str(problem)


def test_an_endpoint_is_registered_and_its_secret_never_shown(client: FlaskClient) -> None:
    path = "/api/v1/endpoints/production/stripe/payments"
    body = {"url": "https://app.example.com/hooks", "replay_secret": REPLAY_SECRET}

    put = client.put(path, json=body, headers=ADMIN)
    kept = client.put(path, json={"url": "https://other.example.com/"}, headers=ADMIN)
    removed = client.put(path, json={"replay_secret": ""}, headers=ADMIN)

    assert (put.get_json()["managed_by"], put.get_json()["has_replay_secret"]) == ("api", True)
    assert kept.get_json()["has_replay_secret"] is True
    assert removed.get_json()["has_replay_secret"] is False
    assert "QUFB" not in put.text


def test_plain_http_needs_to_be_meant(client: FlaskClient) -> None:
    path = "/api/v1/endpoints/production/stripe/payments"

    refused = client.put(path, json={"url": "http://app.example.com/"}, headers=ADMIN)
    meant = client.put(path, json={"url": "http://app.example.com/", "insecure": True}, headers=ADMIN)

    assert (refused.status_code, meant.status_code) == (422, 200)
    assert "insecure" in refused.get_json()["hint"]


# --- bodies that cannot be used ---


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "bad_request"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ('{"name": "x", "scopes": ["root"]}', "application/json", 422, "unprocessable"),
        ('{"name": "x", "scopes": ["read"], "more": 1}', "application/json", 422, "unprocessable"),
        ("[]", "application/json", 422, "unprocessable"),
        ("", "application/json", 422, "unprocessable"),
        ('{"name": "' + "x" * 300_000 + '"}', "application/json", 413, "too_large"),
    ],
    ids=["broken", "form", "value", "unknown", "shape", "empty", "large"],
)
def test_a_body_that_cannot_be_used_changes_nothing_and_says_why(
    client: FlaskClient, control: Control, data: str, content_type: str, status: int, code: str
) -> None:
    answer = client.post("/api/v1/keys", data=data, content_type=content_type, headers=ADMIN)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert acts(control) == []


# --- repeats ---


def test_a_repeat_under_one_key_is_answered_alike_and_done_once(
    client: FlaskClient, control: Control, replayable: list[str]
) -> None:
    headers = {**OPERATE, "Idempotency-Key": "once"}
    body = {"letter_ids": replayable, "reason": "ledger is back"}

    first = client.post("/api/v1/replays", json=body, headers=headers)
    again = client.post("/api/v1/replays", json=body, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert [action for _, action in acts(control)].count("replay.start") == 1


def test_one_key_for_two_requests_is_refused(client: FlaskClient, replayable: list[str]) -> None:
    headers = {**OPERATE, "Idempotency-Key": "once"}
    client.post("/api/v1/replays", json={"letter_ids": replayable, "reason": "one"}, headers=headers)

    other = client.post("/api/v1/replays", json={"letter_ids": replayable, "reason": "two"}, headers=headers)

    assert (other.status_code, other.get_json()["code"]) == (422, "unprocessable")


def test_a_refusal_is_not_kept_as_the_answer(client: FlaskClient, control: Control, clock: FakeClock) -> None:
    headers = {**OPERATE, "Idempotency-Key": "once"}
    firing = alert()
    path = f"/api/v1/alerts/{firing.fingerprint}/acknowledge"
    refused = client.post(path, json={}, headers=headers)
    with control.write() as tx:
        control.alerts.put(tx, firing, [])

    taken = client.post(path, json={}, headers=headers)

    assert (refused.status_code, taken.status_code) == (404, 200)


def test_the_answer_that_shows_a_token_is_never_kept(client: FlaskClient, control: Control) -> None:
    headers = {**ADMIN, "Idempotency-Key": "once"}

    answer = client.post("/api/v1/keys", json={"name": "x", "scopes": ["read"]}, headers=headers)

    assert answer.status_code == 422
    assert acts(control) == []


def test_a_silence_of_certain_hours_is_made_for_a_time_and_says_what_it_hid(
    client: FlaskClient, control: Control
) -> None:
    body = {
        "matchers": {"source": "stripe"},
        "for": "7d",
        "comment": "nightly load",
        "hours": {"span": "22:00-06:30", "timezone": "Europe/Berlin", "days": "mon-fri"},
    }

    made = post(client, "/silences", body, status=201)
    with control.write() as tx:
        control.alerts.put(tx, replace(alert(), muted_by=f"silence:{made['id']}"), [])
    shown = client.get(f"/api/v1/silences/{made['id']}", headers=OPERATE).get_json()
    listed = client.get("/api/v1/silences", headers=OPERATE).get_json()["silences"]

    assert made["ends_at"] == "2026-11-25T12:00:00Z"
    assert made["hours"] == {
        "start": "22:00:00", "end": "06:30:00", "timezone": "Europe/Berlin", "days": [0, 1, 2, 3, 4]
    }  # fmt: skip
    assert [one["rule"] for one in shown["hidden"]] == ["error_rate"]
    assert [one["hid"] for one in listed] == [1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"for": "1h", "ends_at": "2026-11-18T13:00:00Z"}, "one end"),
        ({}, "one end"),
        ({"for": "1h", "matchers": {"sorce": "stripe"}}, "did you mean source?"),
        ({"for": "1h", "hours": {"span": "22-7"}}, "22:00-07:00"),
        ({"for": "1h", "hours": {"span": "22:00-07:00", "timezone": "Mars"}}, "time zone"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused_with_the_form(
    client: FlaskClient, change: dict[str, object], said: str
) -> None:
    body = {"matchers": {"source": "stripe"}, "comment": "deploy", **change}

    answer = client.post("/api/v1/silences", json=body, headers=OPERATE)

    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)


def test_an_alert_is_taken_on_for_a_time(client: FlaskClient, control: Control) -> None:
    with control.write() as tx:
        control.alerts.put(tx, alert(), [])

    taken = post(client, f"/alerts/{alert().fingerprint}/acknowledge", {"note": "mine", "for": "2h"})

    assert taken["ack"]["until"] == "2026-11-18T14:00:00Z"
