"""Alerts, dead letters, replays, reports, keys and their like: as the control store has them."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from alerts.issues import Kin
from alerts.model import Silence, State
from monitor.clock import to_us
from monitor.dead_letters import (
    Item,
    ItemState,
    LetterKey,
    LetterRecord,
    LetterState,
    Replay,
    ReplayState,
    SealedCapture,
    Standing,
)
from monitor.model import Outcome, SeriesKey
from monitor.store.control import Control
from monitor.store.control.accounts import Account, Role
from monitor.store.control.issues import Failure
from monitor.store.control.keys import ApiKey
from tests.alerts.samples import alert
from tests.facts import NOON, Filled, RecordFactory, uuid7
from tests.monitor.api.conftest import bearer
from tests.monitor.clocks import FakeClock

READ, ADMIN = bearer("read"), bearer("admin")


def get(client: FlaskClient, path: str, headers: dict[str, str] = READ) -> Any:
    answer = client.get(f"/api/v1{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def died(control: Control, number: int, *, redacted: bool | None = False) -> LetterKey:
    """A dead letter that died `number` minutes before noon."""
    key = LetterKey("production", "stripe", "payments", f"evt_{number}")
    at = NOON - timedelta(minutes=number)
    record = LetterRecord(str(uuid7(at, number)), at, Outcome.DEAD_LETTERED, "invoice.paid")
    with control.write() as tx:
        control.letters.hear(tx, key, record)
        control.letters.put(
            tx, key.id, Standing(LetterState.OPEN, "invoice.paid", at, error_class="TimeoutError")
        )
        if redacted is not None:
            control.letters.keep_capture(tx, key.id, SealedCapture(b"sealed", redacted))
    return key


def test_alerts_that_stand_are_listed_without_asking_for_a_state(
    client: FlaskClient, control: Control
) -> None:
    firing, resolved = alert(), alert("slow_processing", state=State.RESOLVED)
    with control.write() as tx:
        control.alerts.put(tx, firing, [])
        control.alerts.put(tx, resolved, [])

    standing = get(client, "/alerts")["alerts"]
    ended = get(client, "/alerts?state=resolved")["alerts"]

    assert [one["fingerprint"] for one in standing] == [firing.fingerprint]
    assert standing[0]["evidence"]["value"] == 0.124
    assert [one["fingerprint"] for one in ended] == [resolved.fingerprint]


def test_an_alert_that_never_was_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/v1/alerts/none", headers=READ).status_code == 404


def test_a_walk_through_the_dead_letters_meets_each_once(client: FlaskClient, control: Control) -> None:
    keys = [died(control, number) for number in range(7)]

    seen: list[str] = []
    path = "/dead-letters?limit=3"
    while path:
        page = get(client, path)
        seen += [letter["id"] for letter in page["dead_letters"]]
        path = f"/dead-letters?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert seen == [key.id for key in keys]


@pytest.mark.parametrize(("redacted", "replayable"), [(False, True), (True, False), (None, False)])
def test_only_a_letter_with_its_whole_body_can_be_replayed(
    client: FlaskClient, control: Control, redacted: bool | None, replayable: bool
) -> None:
    key = died(control, 1, redacted=redacted)

    found = get(client, f"/dead-letters/{key.id}")

    assert (found["event_id"], found["error_class"]) == ("evt_1", "TimeoutError")
    assert found["replayable"] is replayable
    assert "sealed" not in str(found)


def test_a_replay_counts_its_items_by_state(client: FlaskClient, control: Control) -> None:
    keys = [died(control, number) for number in range(3)]
    states = [ItemState.SUCCEEDED, ItemState.PLANNED, ItemState.PLANNED]
    items = [
        Item(f"r1-{n}", "r1", n, key.id, key, state)
        for n, (key, state) in enumerate(zip(keys, states, strict=True))
    ]
    with control.write() as tx:
        control.replays.add(tx, Replay("r1", ReplayState.RUNNING, "fixed", "ann", NOON, 5.0, 2), items)

    found = get(client, "/replays/r1")
    first = get(client, "/replays/r1/items?limit=2")
    rest = get(client, f"/replays/r1/items?limit=2&after={first['next_after']}")

    assert found["items"] == {"succeeded": 1, "planned": 2}
    assert (found["reason"], found["created_by"]) == ("fixed", "ann")
    assert [item["event_id"] for item in first["items"] + rest["items"]] == ["evt_0", "evt_1", "evt_2"]
    assert rest["next_after"] is None
    assert get(client, "/replays")["replays"] == [found]


def test_a_silence_is_listed_until_it_has_ended(
    client: FlaskClient, control: Control, clock: FakeClock
) -> None:
    until = NOON + timedelta(hours=1)
    with control.write() as tx:
        control.silences.add(tx, Silence("s1", {"source": "stripe"}, NOON, until, "ann", "deploy"), NOON)

    assert [one["id"] for one in get(client, "/silences")["silences"]] == ["s1"]
    clock.move(timedelta(hours=2))
    assert get(client, "/silences")["silences"] == []
    assert [one["comment"] for one in get(client, "/silences?ended=true")["silences"]] == ["deploy"]


def test_the_report_of_a_week_is_the_facts(client: FlaskClient, filled: Filled) -> None:
    make = RecordFactory()
    filled.add([make.delivery(), make.delivery(), make(Outcome.DEAD_LETTERED)])

    answer = client.get("/api/v1/reports/sla?week=2026-W47", headers=READ)
    as_csv = client.get("/api/v1/reports/sla?week=2026-W47&format=csv", headers=READ)

    assert answer.mimetype == "application/json"
    assert '"2026-W47"' in answer.text
    assert (as_csv.mimetype, "stripe" in as_csv.text) == ("text/csv", True)


def test_a_week_that_is_none_is_refused(client: FlaskClient) -> None:
    answer = client.get("/api/v1/reports/sla?week=2026-W60", headers=READ)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "unprocessable")


def test_uptime_is_the_share_of_probes_that_were_ok(client: FlaskClient, filled: Filled) -> None:
    key = SeriesKey("production", "stripe", "payments")
    code = filled.writer.intern_series([key], to_us(NOON))[key]
    row = None, None, None, None, None, None
    filled.writer.append_probes(
        [(code, "http", to_us(NOON - timedelta(hours=n)), int(n != 30), *row) for n in range(1, 101)]
    )
    path = "/endpoints/production/stripe/payments/uptime"
    assert get(client, path)["uptime"] == [
        {"span": "24h", "share": 1.0, "ok": 24, "probes": 24},
        {"span": "7d", "share": 0.99, "ok": 99, "probes": 100},
        {"span": "30d", "share": 0.99, "ok": 99, "probes": 100},
    ]
    nothing = get(client, "/endpoints/production/stripe/unknown/uptime")["uptime"]
    assert {line["share"] for line in nothing} == {None}


def test_an_endpoint_seen_in_a_record_is_listed_as_seen(client: FlaskClient, control: Control) -> None:
    control.catalog.register([("production", "stripe", "payments")], NOON)

    (found,) = get(client, "/endpoints")["endpoints"]

    assert (found["name"], found["managed_by"], found["probed"]) == ("payments", "seen", False)


def test_neither_a_key_nor_a_user_shows_its_hash(client: FlaskClient, control: Control) -> None:
    key = ApiKey("k1", "digest-of-it", "ci", frozenset({"read"}), frozenset(), None, "ann", NOON)
    with control.write() as tx:
        control.keys.add(tx, key)
        control.accounts.add(tx, Account("ann", "scrypt-of-it", Role.ADMIN, NOON, NOON))

    keys, users = get(client, "/keys", ADMIN), get(client, "/users", ADMIN)

    assert {key["name"]: key["scopes"] for key in keys["keys"]}["ci"] == ["read"]
    assert users["users"][0]["role"] == "admin"
    assert "of-it" not in str(keys) + str(users)


def test_the_audit_is_paged_newest_first(client: FlaskClient, control: Control) -> None:
    with control.write() as tx:
        for number in range(5):
            control.audit.append(tx, NOON, "ann", "admin", "api", "key.create", f"k{number}", {"n": number})

    first = get(client, "/audit?limit=3", ADMIN)
    rest = get(client, f"/audit?limit=3&cursor={first['next_cursor']}", ADMIN)

    assert [act["seq"] for act in first["acts"] + rest["acts"]] == [5, 4, 3, 2, 1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("path", ["/alerts", "/dead-letters", "/replays", "/audit"])
@pytest.mark.parametrize("cursor", ["nonsense", "99999999999999999999999", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6eA"])
def test_a_foreign_cursor_is_refused(client: FlaskClient, path: str, cursor: str) -> None:
    answer = client.get(f"/api/v1{path}?cursor={cursor}", headers=ADMIN)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "unprocessable")


def broke(control: Control, *classes: str) -> list[str]:
    """An issue of each class, seen a minute apart before noon; their ids."""
    kinds = [Kin("production", "stripe", "payments", "invoice.paid", name, "no answer") for name in classes]
    with control.write() as tx:
        for number, kin in enumerate(kinds):
            at = NOON - timedelta(minutes=number)
            control.issues.count(tx, Failure(kin, str(uuid7(at, number)), at, number + 1), NOON)
    return [kin.id for kin in kinds]


def test_a_walk_through_the_issues_meets_each_once(client: FlaskClient, control: Control) -> None:
    ids = broke(control, *(f"Error{number}" for number in range(7)))

    seen: list[str] = []
    path = "/issues?limit=3&source=stripe&environment=production&endpoint=payments"
    cursor: str | None = ""
    while cursor is not None:
        page = get(client, path + (f"&cursor={cursor}" if cursor else ""))
        seen += [one["id"] for one in page["issues"]]
        cursor = page["next_cursor"]

    assert seen == ids
    assert get(client, "/issues?source=orum")["issues"] == []


def test_an_issue_shows_its_state_its_count_and_its_records(client: FlaskClient, control: Control) -> None:
    [id] = broke(control, "Timeout")

    found = get(client, f"/issues/{id}")

    assert (found["state"], found["failures"], found["error_class"]) == ("new", 1, "Timeout")
    assert found["records"] == [found["record_id"]]
    assert client.get("/api/v1/issues/none", headers=READ).status_code == 404


def test_an_operator_ends_an_issue_and_the_act_is_audited(client: FlaskClient, control: Control) -> None:
    [id] = broke(control, "Timeout")

    refused = client.post(f"/api/v1/issues/{id}/resolve", headers=READ)
    answer = client.post(f"/api/v1/issues/{id}/resolve", headers=bearer("operate"))

    assert refused.status_code == 403
    assert (answer.status_code, answer.get_json()["state"]) == (200, "resolved")
    assert get(client, "/issues")["issues"] == []
    assert [one["id"] for one in get(client, "/issues?state=resolved")["issues"]] == [id]
    assert get(client, "/audit", ADMIN)["acts"][0]["action"] == "issue.resolve"
    assert client.post("/api/v1/issues/none/resolve", headers=bearer("operate")).status_code == 404
