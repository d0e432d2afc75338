"""Nobody takes an alert on: who is told next, when it is said again, and what the night holds back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.hours import hours_of
from alerts.inhibition import inhibiting, possible_causes
from alerts.model import Ack, Alert, Inhibition, Route, Severity, State, Step, Telling, Why
from alerts.notifier import Due, due
from tests.alerts.samples import T0, alert, every, told

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STEPS = Route(("slack",), steps=(Step(10 * MINUTE, ("phone",)), Step(30 * MINUTE, ("boss", "phone"))))
CRITICAL = alert(severity=Severity.CRITICAL)


def asked(of: Alert, before: Sequence[Telling], now: datetime, *routes: Route) -> Due:
    return due(of, routes=routes, silences=(), others=(), told=before, now=now)


def due_to(found: Due) -> dict[str, Why]:
    return {item.channel: item.reason for item in found.notifications}


def lived(of: Alert, route: Route, minutes: int, taken_at: int | None = None) -> list[tuple[int, str, Why]]:
    """(minute, channel, reason) of each message while the alert fires; somebody may take it on."""
    before: list[Telling] = []
    heard = []
    for minute in range(minutes + 1):
        now = T0 + minute * MINUTE
        if minute == taken_at:
            of = replace(of, ack=Ack("ann", now, until=now + 60 * MINUTE))
        for item in asked(of, before, now, route).notifications:
            heard.append((minute, item.channel, item.reason))
            before.append(told(of, item.channel, item.reason, created_at=now))
    return heard


def test_each_step_tells_its_channels_once_when_its_time_has_come() -> None:
    assert lived(alert(), STEPS, 55) == [
        (0, "slack", Why.FIRING),
        (10, "phone", Why.ESCALATED),
        (30, "boss", Why.ESCALATED),
    ]


def test_step_is_not_taken_once_somebody_has_the_alert_until_that_runs_out() -> None:
    heard = lived(alert(), STEPS, 80, taken_at=9)
    assert heard == [
        (0, "slack", Why.FIRING),
        (69, "phone", Why.ESCALATED),
        (69, "boss", Why.ESCALATED),
        (69, "slack", Why.REPEAT),
    ]


def test_end_is_told_to_the_steps_that_were_taken_and_no_other() -> None:
    before = [told(alert(), "slack"), told(alert(), "phone", Why.ESCALATED)]
    found = asked(alert(state=State.RESOLVED), before, T0 + HOUR, STEPS)
    assert due_to(found) == {"slack": Why.RESOLVED, "phone": Why.RESOLVED}


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_clock_that_jumps_takes_no_step_early_or_late(jump: timedelta) -> None:
    before = [told(alert(), "slack")]
    jumped = alert(jumped=jump)
    assert due_to(asked(jumped, before, T0 + jump + 9 * MINUTE, STEPS)) == {}
    assert due_to(asked(jumped, before, T0 + jump + 10 * MINUTE, STEPS)) == {"phone": Why.ESCALATED}


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_clock_that_jumps_repeats_nothing_early_or_late(jump: timedelta) -> None:
    route, before = Route(("slack",), repeat=every(HOUR)), [told(alert(), "slack")]
    jumped = alert(jumped=jump)
    assert due_to(asked(jumped, before, T0 + jump + 59 * MINUTE, route)) == {}
    assert due_to(asked(jumped, before, T0 + jump + 60 * MINUTE, route)) == {"slack": Why.REPEAT}


def test_what_is_critical_repeats_by_default_and_nothing_else() -> None:
    assert [minute for minute, _, _ in lived(CRITICAL, Route(("slack",)), 130)] == [0, 60, 120]
    assert len(lived(alert(), Route(("slack",)), 600)) == 1


def test_repeat_is_by_severity() -> None:
    route = Route(("slack",), repeat={Severity.ERROR: 2 * HOUR})
    assert [minute for minute, _, _ in lived(alert(), route, 250)] == [0, 120, 240]
    assert len(lived(CRITICAL, route, 250)) == 1


def test_repeats_stop_while_somebody_has_it_and_go_on_when_that_runs_out() -> None:
    heard = lived(CRITICAL, Route(("slack",), repeat=every(20 * MINUTE)), 110, taken_at=25)
    assert [minute for minute, _, _ in heard] == [0, 20, 85, 105]


def test_channel_that_never_repeats_is_reminded_once_when_an_acknowledgement_runs_out() -> None:
    assert lived(alert(), Route(("slack",)), 200, taken_at=5) == [
        (0, "slack", Why.FIRING),
        (65, "slack", Why.REPEAT),
    ]


NIGHT = Route(("slack",), quiet_hours=hours_of("22:00-07:00", "Europe/Berlin"))  # T0 is 04:00 in Berlin


def test_night_holds_an_alert_back_until_its_end() -> None:
    assert asked(alert(), [], T0, NIGHT) == Due(why={"slack": Why.QUIET_HOURS}, muted_by="quiet_hours")
    assert asked(alert(), [], T0 + 3 * HOUR - MINUTE, NIGHT).notifications == ()
    assert due_to(asked(alert(), [], T0 + 3 * HOUR, NIGHT)) == {"slack": Why.FIRING}


def test_alert_that_ended_in_the_night_is_never_told() -> None:
    assert asked(alert(state=State.RESOLVED), [], T0 + 3 * HOUR, NIGHT).notifications == ()


def test_what_is_critical_passes_and_so_does_what_becomes_critical() -> None:
    assert due_to(asked(CRITICAL, [], T0, NIGHT)) == {"slack": Why.FIRING}
    assert due_to(asked(CRITICAL, [told(alert(), "slack")], T0, NIGHT)) == {"slack": Why.SEVERITY_RAISED}


def test_end_of_what_was_told_before_the_night_is_told_at_once() -> None:
    assert due_to(asked(alert(state=State.RESOLVED), [told(alert(), "slack")], T0, NIGHT)) == {
        "slack": Why.RESOLVED
    }


def test_route_without_quiet_hours_tells_beside_one_that_has_them() -> None:
    found = asked(alert(), [], T0, NIGHT, Route(("slack", "email")))
    assert due_to(found) == {"slack": Why.FIRING, "email": Why.FIRING}


def test_steps_of_a_quiet_route_wait_for_the_morning() -> None:
    route = replace(NIGHT, steps=(Step(10 * MINUTE, ("phone",)),))
    before = [told(alert(), "slack")]
    assert asked(alert(), before, T0 + HOUR, route).notifications == ()
    assert due_to(asked(alert(), before, T0 + 3 * HOUR, route)) == {"phone": Why.ESCALATED}


LEDGER = Inhibition({"rule": "ledger_down"}, {"severity": "error"}, ("environment",))


def test_configured_inhibition_hides_its_targets_where_the_labels_are_alike() -> None:
    down = alert("ledger_down", severity=Severity.CRITICAL, endpoint="ledger")
    assert inhibiting(alert(), [down], [LEDGER]) is down
    assert inhibiting(CRITICAL, [down], [LEDGER]) is None
    staging = alert(labels={**alert().labels, "environment": "staging"})
    assert inhibiting(staging, [down], [LEDGER]) is None
    assert inhibiting(alert(), [replace(down, state=State.RESOLVED)], [LEDGER]) is None


def test_inhibited_alert_names_what_suppresses_it() -> None:
    down = alert("ledger_down", severity=Severity.CRITICAL)
    found = due(alert(), routes=[STEPS], silences=(), others=[down], told=(), now=T0, inhibitions=[LEDGER])
    assert (found.notifications, found.muted_by) == ((), f"alert:{down.fingerprint}")


def test_alerts_that_would_hide_each_other_are_both_told() -> None:
    either = Inhibition({"kind": "*_rate"}, {"kind": "*_rate"}, ("source",))
    one, other = alert("error_rate"), alert("burn_rate")
    assert inhibiting(one, [one, other], [either]) is None
    assert inhibiting(other, [one, other], [either]) is None


def test_possible_causes_are_all_that_may_hide_something() -> None:
    down, ledger, other = alert("endpoint_down"), alert("ledger_down"), alert("clock_skew")
    assert possible_causes([down, ledger, other], [LEDGER]) == [down, ledger]
    assert possible_causes([replace(down, state=State.PENDING)], []) == []
