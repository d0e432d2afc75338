"""Of an alert and its consequences one message leaves, that of the cause: while it lasts, and after."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.inhibition import AFTERMATH, causes_named, inhibiting, possible_causes
from alerts.model import Alert, Evidence, Inhibition, Route, Severity, State, Why
from alerts.notifier import Due, due
from tests.alerts.samples import T0, alert

MINUTE = timedelta(minutes=1)


def certificate(left_days: float, **labels: str) -> Alert:
    found = alert("certificate_expiry", severity=Severity.CRITICAL)
    return replace(
        found, evidence=Evidence("", value=left_days, unit="days"), labels={**found.labels, **labels}
    )


@pytest.mark.parametrize("kind", ["endpoint_down", "no_events", "canary_lost"])
def test_a_certificate_that_is_refused_explains_why_nobody_gets_through(kind: str) -> None:
    expired = certificate(0)
    assert inhibiting(alert(kind), [expired]) is expired


@pytest.mark.parametrize(
    "other", [certificate(0.5), certificate(-3, certificate="provider")], ids=["still_good", "the_providers"]
)
def test_another_certificate_explains_no_downtime(other: Alert) -> None:
    assert inhibiting(alert("endpoint_down"), [other]) is None


@pytest.mark.parametrize(
    "kind",
    ["error_rate", "burn_rate", "retry_storm", "ack_deadline", "queue_depth", "stuck_events", "canary_lost"],
)
def test_many_failures_explain_how_they_look_from_elsewhere(kind: str) -> None:
    failures = alert("failure_count", severity=Severity.CRITICAL)
    assert inhibiting(alert(kind), [failures]) is failures


def test_a_2xx_for_a_forgery_is_told_however_much_else_fails() -> None:
    believed = alert("wrong_status", severity=Severity.CRITICAL)
    others = [alert("failure_count", severity=Severity.CRITICAL), alert("error_rate")]
    assert inhibiting(believed, others) is None


@pytest.mark.parametrize("kinds", [("queue_depth", "stuck_events"), ("stuck_events", "queue_depth")])
def test_of_a_backlog_and_its_old_events_the_first_to_fire_is_told(kinds: tuple[str, str]) -> None:
    first, second = alert(kinds[0]), replace(alert(kinds[1]), firing_since=T0 + MINUTE)
    assert inhibiting(second, [first, second]) is first
    assert inhibiting(first, [first, second]) is None


def aftermath(*, looks_back: timedelta, later: timedelta) -> tuple[Alert, Alert]:
    """An outage that has ended, and an error rate that it hid as it stands some time later."""
    now = T0 + later
    ended = replace(alert("failure_count", severity=Severity.CRITICAL), state=State.RESOLVED, resolved_at=T0)
    hidden = replace(
        alert("error_rate"),
        muted_by=f"alert:{ended.fingerprint}",
        last_evaluated_at=now,
        evidence=Evidence("40 % failed", window_start_at=now - looks_back, window_end_at=now),
    )
    return ended, hidden


def test_what_an_outage_hid_is_not_told_while_it_still_looks_back_on_it() -> None:
    ended, hidden = aftermath(looks_back=15 * MINUTE, later=14 * MINUTE)
    assert inhibiting(hidden, [ended, hidden]) is ended
    assert inhibiting(replace(hidden, muted_by=None), [ended, hidden]) is None


def test_what_outlasts_its_cause_is_told() -> None:
    ended, hidden = aftermath(looks_back=15 * MINUTE, later=16 * MINUTE)
    assert inhibiting(hidden, [ended, hidden]) is None
    ended, hidden = aftermath(looks_back=timedelta(hours=6), later=AFTERMATH)
    assert inhibiting(hidden, [ended, hidden]) is None


def test_what_gets_worse_than_its_cause_was_is_told() -> None:
    ended, hidden = aftermath(looks_back=15 * MINUTE, later=MINUTE)
    ended = replace(ended, severity=Severity.WARNING)
    assert inhibiting(hidden, [ended, hidden]) is None


def test_a_cause_that_has_ended_is_asked_for_by_what_it_hid() -> None:
    ended, hidden = aftermath(looks_back=15 * MINUTE, later=MINUTE)
    assert causes_named([hidden]) == {ended.fingerprint}
    assert ended in possible_causes([ended, hidden])
    assert ended not in possible_causes([ended, replace(hidden, muted_by="silence:s")])


def hides(cause: str, *kinds: str) -> list[Inhibition]:
    return [Inhibition({"kind": cause}, {"kind": kind}, ("environment",)) for kind in kinds]


CIRCLE = [*hides("drift", "clock_skew"), *hides("clock_skew", "new_issue"), *hides("new_issue", "drift")]


def told(kinds: Sequence[str], configured: Sequence[Inhibition]) -> list[str]:
    """The kinds of which nobody hides the alert, all of them firing."""
    firing = [alert(kind) for kind in kinds]
    causes = possible_causes(firing, configured)
    return [one.kind for one in firing if inhibiting(one, causes, configured) is None]


@pytest.mark.parametrize("turn", range(3))
def test_alerts_that_hide_each_other_in_a_circle_are_all_told(turn: int) -> None:
    kinds = ["drift", "clock_skew", "new_issue"]
    assert told([*kinds[turn:], *kinds[:turn]], CIRCLE) == [*kinds[turn:], *kinds[:turn]]


def test_a_circle_is_hidden_by_what_stands_outside_of_it_and_hides_what_does() -> None:
    kinds = ["dead_letters", "drift", "clock_skew", "new_issue", "client_drops"]
    outside = [
        *hides("dead_letters", "drift", "clock_skew", "new_issue"),
        *hides("new_issue", "client_drops"),
    ]
    assert told(kinds, [*CIRCLE, *outside]) == ["dead_letters"]
    assert told(kinds, [*CIRCLE, *hides("new_issue", "client_drops")]) == kinds[:-1]


def test_a_circle_that_what_is_built_in_closes_hides_none_of_its_own() -> None:
    kinds = ["verification_failures", "no_events", "drift"]
    closed = [*hides("no_events", "drift"), *hides("drift", "verification_failures")]
    assert told(kinds, []) == ["verification_failures", "drift"]
    assert told(kinds, closed) == kinds


def test_whatever_hides_what_somebody_is_told() -> None:
    """No choice of inhibitions among five alerts leaves all of them untold."""
    kinds = ["drift", "clock_skew", "new_issue", "dead_letters", "client_drops"]
    for seed in range(300):
        drawn = random.Random(seed)
        pairs = [drawn.sample(kinds, 2) for _ in range(drawn.randint(1, 14))]
        assert told(kinds, [one for cause, kind in pairs for one in hides(cause, kind)]), pairs


FAILURES = alert("failure_count", severity=Severity.CRITICAL)


def hidden_from(*routes: Route) -> Due:
    """What becomes of an error rate that many failures explain."""
    return due(alert(), routes=routes, silences=(), others=[FAILURES], told=(), now=T0)


def test_who_is_not_told_of_the_cause_is_told_of_the_consequence() -> None:
    by_rule = Route(("team", "oncall"), matchers={"rule": "error_rate"})

    found = hidden_from(Route(("oncall",), Severity.CRITICAL), by_rule)

    assert [(one.channel, one.reason) for one in found.notifications] == [("team", Why.FIRING)]
    assert found.muted_by == f"alert:{FAILURES.fingerprint}"


def test_a_cause_that_nobody_is_told_of_hides_nothing() -> None:
    found = hidden_from(Route(("team",), matchers={"rule": "error_rate"}))
    assert [one.channel for one in found.notifications] == ["team"]


def test_who_is_told_of_the_cause_is_not_told_of_the_consequence() -> None:
    found = hidden_from(Route(("team", "oncall")))
    assert (found.notifications, found.why) == ((), {"": Why.INHIBITED})
