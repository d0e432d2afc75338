"""Alerts, letters, replays and the house's own state, against what plain SQL finds in the control store."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.channels.channel import Receipt
from alerts.hours import hours_of
from alerts.model import Change, Notification, Severity, Silence, State, Transition, Why, fingerprint_of
from alerts.notifier import Delivered
from alerts.rules import default_rules
from dashboard.data import house, incidents, quiet
from dashboard.data.catalog import Catalog
from dashboard.data.reads import StoreReads
from dashboard.pages.alert import body
from dashboard.scope import Scope
from monitor.clock import from_us, to_us
from monitor.config.document import Document
from monitor.model import SeriesKey
from monitor.operations import Actor, alerts, issues, replays, silences
from monitor.store.control.accounts import Role
from monitor.store.control.engine import write
from monitor.wiring.observing import observing
from tests.dashboard.stores import Installation, installation
from tests.facts import NOON

NOW = NOON + timedelta(hours=1)
SCOPE = Scope()
OPERATOR = Actor("mira", Role.OPERATOR, "ui")


@pytest.fixture
def house_of(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, NOW) as made:
        yield made


def asked(made: Installation, sql: str) -> list[tuple[object, ...]]:
    """What another connection finds in the control store."""
    db = sqlite3.connect(f"file:{made.folder / 'control.db'}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_the_list_of_letters_is_the_table_of_letters(house_of: Installation) -> None:
    house_of.add_dead(7)
    shown = incidents.letters(house_of.control, SCOPE, 100)
    stored = asked(
        house_of,
        "SELECT id, source, endpoint, event_id, event_type, state, error_class, died_us FROM dead_letter "
        "WHERE state IN ('open', 'permanent') ORDER BY died_us DESC, id DESC",
    )
    told = [
        (one.id, one.source, one.endpoint, one.event_id, one.event_type, one.state, one.error_class)
        for one in shown.letters
    ]
    assert told == [row[:7] for row in stored]
    assert [one.died_at for one in shown.letters] == [from_us(int(str(row[7]))) for row in stored]
    assert shown.total == len(stored) == 7
    assert incidents.letters_at(house_of.control, "production") == {
        SeriesKey("production", "orum", "transfers"): 7
    }


def test_an_issue_is_what_its_failures_are_in_the_store(house_of: Installation) -> None:
    dead = house_of.add_dead(3)
    view = incidents.issues(house_of.control, SCOPE, 100, NOW)
    stored = asked(
        house_of, "SELECT id, error_class, message, failures, first_seen_us, last_seen_us FROM issue"
    )
    shown = [
        (
            one.id,
            one.error_class,
            one.message,
            one.failures,
            to_us(one.first_seen_at),
            to_us(one.last_seen_at),
        )
        for one in view.issues
    ]
    assert sorted(shown) == sorted(stored)
    assert view.issues[0].state == "new"
    own = incidents.issue(house_of.control, house_of.facts, view.issues[0].id, NOW)
    assert own is not None
    assert own.issue == view.issues[0]
    assert [one.event_id for one in own.records] == [one.event_id for one in reversed(dead)]
    assert incidents.issue(house_of.control, house_of.facts, "0" * 32, NOW) is None
    assert incidents.new_issues(house_of.control, "production", NOW) == view.total == len(stored)


def test_a_resolved_issue_leaves_the_open_ones_and_says_who(house_of: Installation) -> None:
    house_of.add_dead(2)
    for one in incidents.issues(house_of.control, SCOPE, 100, NOW).issues:
        issues.resolve(house_of.desk, OPERATOR, one.id)
    resolved = SCOPE.with_filters(state="resolved")
    assert incidents.issues(house_of.control, SCOPE, 100, NOW).total == 0
    found = incidents.issues(house_of.control, resolved, 100, NOW)
    assert {(one.state, one.resolved_by) for one in found.issues} == {("resolved", "mira")}
    assert incidents.new_issues(house_of.control, "production", NOW) == 0


def test_issues_of_another_endpoint_or_environment_are_not_shown(house_of: Installation) -> None:
    house_of.add_dead(2)
    for scope in (
        Scope("staging"),
        SCOPE.with_filters(endpoint="payouts"),
        SCOPE.with_filters(state="regressed"),
    ):
        view = incidents.issues(house_of.control, scope, 100, NOW)
        assert (list(view.issues), view.total) == ([], 0)


def test_letters_of_another_endpoint_or_environment_are_not_shown(house_of: Installation) -> None:
    house_of.add_dead(3)
    for scope in (
        Scope("staging"),
        SCOPE.with_filters(endpoint="payouts"),
        SCOPE.with_filters(state="resolved"),
    ):
        view = incidents.letters(house_of.control, scope, 100)
        assert (list(view.letters), view.total) == ([], 0)


def test_a_long_list_says_how_many_there_are(house_of: Installation) -> None:
    house_of.add_dead(5)
    view = incidents.letters(house_of.control, SCOPE, 2)
    assert (len(view.letters), view.total) == (2, 5)


def test_a_letter_in_a_replay_says_that_it_is_busy(house_of: Installation) -> None:
    house_of.add_dead(2)
    chosen = incidents.letters(house_of.control, SCOPE, 100).letters[0]
    assert chosen.refusal is None
    replays.start(house_of.desk, OPERATOR, [chosen.id], "the ledger is back")
    again = {one.id: one.refusal for one in incidents.letters(house_of.control, SCOPE, 100).letters}
    assert again.pop(chosen.id) == "in_another_replay"
    assert set(again.values()) == {None}


def test_a_replay_shows_its_items_by_state(house_of: Installation) -> None:
    house_of.add_dead(4)
    ids = [one.id for one in incidents.letters(house_of.control, SCOPE, 100).letters]
    started = replays.start(house_of.desk, OPERATOR, ids, "the ledger is back")
    [shown] = incidents.replay_lines(house_of.control, 10)
    assert (shown.id, shown.state, shown.reason, shown.created_by) == (
        started.id,
        "running",
        "the ledger is back",
        "mira",
    )
    stored = asked(house_of, "SELECT state, count(*) FROM replay_item GROUP BY state")
    assert {(state, n) for state, n in shown.counts.items() if n} == set(stored)
    assert shown.total == 4


def test_an_alert_shows_its_evidence_its_moves_and_its_records(house_of: Installation) -> None:
    dead = house_of.add_dead(2)
    alert = house_of.add_alert("orum", "transfers", [str(dead[0].record_id)])
    [line] = incidents.alerts(house_of.control, "production")
    assert (line.id, line.state, line.severity, line.value, line.threshold) == (
        alert.fingerprint,
        "firing",
        "critical",
        0.18,
        0.05,
    )
    assert line.since == NOW - timedelta(minutes=5)
    assert (line.told, line.quiet) == ((), "no_route")
    view = incidents.alert(house_of.control, house_of.facts, alert.fingerprint)
    assert view is not None
    assert [move.to_state for move in view.transitions] == ["firing"]
    assert [record.event_id for record in view.exemplars] == [dead[0].event_id]
    assert incidents.alerts(house_of.control, "staging") == []
    assert incidents.alert(house_of.control, house_of.facts, "0" * 32) is None


def test_an_acknowledged_alert_says_who_has_it(house_of: Installation) -> None:
    alert = house_of.add_alert("orum", "transfers")
    alerts.acknowledge(house_of.desk, OPERATOR, alert.fingerprint, "on it")
    [line] = incidents.alerts(house_of.control, "production")
    assert (line.acked_by, line.ack_note, line.acked_at) == ("mira", "on it", NOW)


def test_the_shell_tells_what_is_missing_in_a_new_installation(house_of: Installation) -> None:
    view = house.shell(house_of.facts, house_of.control, Catalog(Document()), "production", NOW, "paste me")
    assert (view.heartbeat_at, view.channels, view.ever_received, view.paste) == (None, [], False, "paste me")
    assert view.late_jobs == []


def test_a_job_that_never_ran_is_late_once_the_installation_is_older_than_its_patience(
    house_of: Installation,
) -> None:
    with write(house_of.control.engine) as tx:
        house_of.control.configs.add(tx, {}, "hookvitals.toml", "mira", NOW - timedelta(hours=1))
    late = [job.name for job in house.jobs(house_of.control, NOW) if job.late]
    assert "rules" in late
    assert "prune" not in late


def test_a_job_is_late_when_its_last_success_is_too_far_back(house_of: Installation) -> None:
    house_of.control.jobs.succeeded("feed", NOW - timedelta(seconds=50), 0.1, house_of.epoch)
    house_of.control.jobs.succeeded("rules", NOW - timedelta(seconds=90), 0.1, house_of.epoch)
    house_of.control.jobs.failed("rules", NOW, "no such rule", house_of.epoch)
    by_name = {job.name: job for job in house.jobs(house_of.control, NOW)}
    assert (by_name["feed"].late, by_name["rules"].late, by_name["prune"].late) == (False, True, False)
    assert by_name["rules"].error == "no such rule"


def test_the_status_page_shows_the_stores_own_numbers(house_of: Installation) -> None:
    house_of.fill.writer.heartbeat("collector-1", int((NOW - timedelta(seconds=4)).timestamp() * 1e6))
    view = house.status(house_of.facts, house_of.control, Catalog(Document()), NOW, "1.2.3", 5_000_000)
    assert view.heartbeat_at == NOW - timedelta(seconds=4)
    assert view.facts_bytes == house_of.facts.used_bytes()
    assert (view.leader, view.version, view.facts_budget_bytes) == ("worker-1", "1.2.3", 5_000_000)


def test_an_alerts_messages_come_with_the_receipts_of_their_services(house_of: Installation) -> None:
    alert = house_of.add_alert("orum", "transfers")
    told = house_of.control.notifications
    told.add([Notification("k", "ops", Why.FIRING, alert, NOW)], house_of.epoch)
    told.settle({"k": Delivered(Receipt("C012345 1763694840.0001"))}, NOW, [], house_of.epoch)
    view = incidents.alert(house_of.control, house_of.facts, alert.fingerprint)
    assert view is not None
    [line] = view.notifications
    assert (line.state, line.receipt) == ("delivered", "C012345 1763694840.0001")
    assert line.receipt in str(body(view, SCOPE, NOW))


def test_a_silence_shows_what_it_hid_until_it_is_ended(house_of: Installation) -> None:
    made = silences.create(
        house_of.desk, OPERATOR, {"source": "orum"}, NOW, NOW + timedelta(hours=2), "known"
    )
    told = house_of.add_alert("orum", "transfers")
    with house_of.control.write() as tx:
        house_of.control.alerts.put(tx, replace(told, muted_by=f"silence:{made.id}"), [])
    view = quiet.silences(house_of.control, [], made.id, NOW)
    [shown] = view.silences
    assert (shown.state, shown.hid, shown.created_by) == ("in force", 1, "mira")
    assert [(one.alert_id, one.rule) for one in view.hidden] == [(told.fingerprint, "error_rate")]
    silences.expire(house_of.desk, OPERATOR, made.id)
    [ended] = quiet.silences(house_of.control, [], None, NOW).silences
    assert (ended.id, ended.state) == (made.id, "ended")


def test_a_window_of_the_file_is_between_its_hours_or_in_force(house_of: Installation) -> None:
    night = hours_of("02:00-03:00", "Europe/Berlin")
    window = Silence("nightly", {"source": "orum"}, NOW, NOW + timedelta(days=9), "", "import", night)
    coming = replace(window, id="later", starts_at=NOW + timedelta(days=1))
    at_night = NOW.replace(hour=1, minute=30)
    shown = quiet.silences(house_of.control, [window, coming], None, NOW).silences
    assert [(one.state, one.by_file) for one in shown] == [("between its hours", True), ("coming", True)]
    assert shown[0].hours == "02:00-03:00 (Europe/Berlin)"
    held = quiet.silences(house_of.control, [window], None, at_night + timedelta(days=1)).silences
    assert [one.state for one in held] == ["in force"]


def test_an_alert_shows_its_flapping_its_silence_and_until_when_it_is_taken_on(
    house_of: Installation,
) -> None:
    fires = house_of.add_alert("orum", "transfers")
    since = NOW - timedelta(minutes=30)
    with house_of.control.write() as tx:
        changed = replace(fires, muted_by="silence:ab12", flapping_since=since)
        house_of.control.alerts.put(tx, changed, [])
    alerts.acknowledge(house_of.desk, OPERATOR, fires.fingerprint, "on it", timedelta(hours=2))
    [shown] = incidents.alerts(house_of.control, "production")
    assert (shown.muted_by, shown.flapping_since) == ("silence:ab12", since)
    assert (shown.acked_by, shown.ack_until) == ("mira", NOW + timedelta(hours=2))
    assert not shown.ticket


def test_an_endpoint_has_its_own_open_issues_and_its_uptime(house_of: Installation) -> None:
    dead = house_of.add_dead(3)
    code = {key: code for code, key in house_of.facts.series().items()}[
        SeriesKey("production", "orum", "transfers")
    ]
    seen = enumerate([False, True, True, True])
    house_of.fill.writer.append_probes(
        [(code, "http", to_us(NOW - timedelta(minutes=5 + i)), int(ok), *(None,) * 6) for i, ok in seen]
    )
    observe = observing(house_of.facts, house_of.control, Document)
    reads = StoreReads(house_of.facts, house_of.control, Document, observe, lambda place: (), "", "1")
    view = reads.endpoint(SCOPE, "orum", "transfers", NOW)
    assert view is not None
    assert view.uptime == [("24h", 0.75, 4), ("7d", 0.75, 4), ("30d", 0.75, 4)]
    halves, days = view.strips["24h"], view.strips["30d"]
    assert (len(halves), len(days)) == (48, 30)
    assert (halves[-1].start_at, days[-1].start_at) == (NOW, NOW.replace(hour=0))
    assert [(cell.ok, cell.all) for cell in halves[-2:]] == [(3, 4), (0, 0)]
    assert [(cell.ok, cell.all) for cell in days[-2:]] == [(0, 0), (3, 4)]
    assert [one.failures for one in view.issues.issues] == [len(dead)]
    assert view.issues == reads.issues(SCOPE.with_filters(endpoint="transfers", source="orum"), 5, NOW)


def test_an_outage_lasts_from_the_firing_to_its_end(house_of: Installation) -> None:
    minute = timedelta(minutes=1)
    labels = {"environment": "production", "source": "orum", "endpoint": "transfers"}
    down = replace(
        house_of.add_alert("orum", "transfers"), fingerprint=fingerprint_of("endpoint_down", labels)
    )

    def move(revision: int, before: State, after: State, at: datetime) -> Transition:
        return Transition(
            down.fingerprint, revision, before, after, Severity.CRITICAL, at, Change.BREACH_HELD
        )  # fmt: skip

    moves = [
        move(1, State.INACTIVE, State.PENDING, NOW - 91 * minute),
        move(2, State.PENDING, State.FIRING, NOW - 90 * minute),
        move(3, State.FIRING, State.RESOLVED, NOW - 70 * minute),
        move(4, State.RESOLVED, State.PENDING, NOW - 6 * minute),
        move(5, State.PENDING, State.FIRING, NOW - 5 * minute),
    ]
    with house_of.control.write() as tx:
        house_of.control.alerts.put(tx, down, moves)
    place = SeriesKey("production", "orum", "transfers")
    found = incidents.outages(house_of.control, default_rules(), place, most=4)
    assert [(one.began_at, one.ended_at) for one in found] == [
        (NOW - 5 * minute, None),
        (NOW - 90 * minute, NOW - 70 * minute),
    ]
    assert incidents.outages(house_of.control, default_rules(), replace(place, endpoint="x"), most=4) == []
