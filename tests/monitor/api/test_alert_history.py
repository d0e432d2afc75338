"""The history of alerts over HTTP, page by page."""

from flask.testing import FlaskClient

from alerts.model import Change, Notification, Severity, State, Transition, Why
from monitor.api.paging import cursor_below
from monitor.store.control import Control
from monitor.store.control.notifications import enqueue
from tests.alerts.samples import alert
from tests.facts import NOON
from tests.monitor.api.test_control_nouns import READ, get


def test_history_is_paged_by_cursor_and_a_foreign_cursor_is_refused(
    client: FlaskClient, control: Control
) -> None:
    fired = alert(state=State.FIRING)
    moved = Transition(
        fired.fingerprint,
        1,
        State.INACTIVE,
        State.FIRING,
        Severity.ERROR,
        NOON,
        Change.BREACH_STARTED,
        "12 %",
    )
    with control.write() as tx:
        control.alerts.put(tx, fired, [moved])
        enqueue(tx, [Notification(f"k{n}", "team", Why.FIRING, fired, NOON) for n in range(3)])
    first = get(client, "/alerts/history?limit=2")
    second = get(client, f"/alerts/history?limit=2&cursor={first['next_cursor']}")
    lines = [*first["history"], *second["history"]]
    seen = [(line["entry"], line["to_state"] or line["channel"]) for line in lines]
    assert second["next_cursor"] is None
    assert seen == [("notification", "team")] * 3 + [("transition", "firing")]
    foreign = cursor_below(NOON, "other:1")
    assert client.get(f"/api/v1/alerts/history?cursor={foreign}", headers=READ).status_code == 422
