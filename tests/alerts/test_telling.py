"""Silences, inhibition, routing and grouping: who is not told, who is, and what is told together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.grouping import grouped
from alerts.hours import hours_of
from alerts.inhibition import inhibiting
from alerts.model import Route, Severity, Silence, State
from alerts.routing import routed_channels
from alerts.silences import matcher_problem, silencing
from tests.alerts.samples import T0, alert, every, notification

HOUR = timedelta(hours=1)


def silence(**matchers: str) -> Silence:
    return Silence("s1", matchers, T0, T0 + HOUR)


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ({"source": "stripe"}, True),
        ({"source": "stripe", "endpoint": "pay*"}, True),
        ({"rule": "error_*"}, True),
        ({"kind": "error_rate"}, True),
        ({"severity": "error"}, True),
        ({"source": "stripe", "endpoint": "refunds"}, False),
        ({"team": "*"}, False),
        ({}, False),
    ],
)
def test_silence_covers_alerts_that_fit_all_its_matchers(matchers: dict[str, str], covered: bool) -> None:
    assert (silencing(alert(), [silence(**matchers)], T0) is not None) is covered


@pytest.mark.parametrize(
    ("at", "in_force"),
    [
        (T0 - timedelta(microseconds=1), False),
        (T0, True),
        (T0 + HOUR - timedelta(microseconds=1), True),
        (T0 + HOUR, False),
    ],
)
def test_silence_holds_from_its_start_until_before_its_end(at: object, in_force: bool) -> None:
    assert (silencing(alert(), [silence(source="*")], at) is not None) is in_force  # type: ignore[arg-type]


def test_silence_that_lasts_longest_is_the_one_named() -> None:
    longer = replace(silence(source="*"), id="s2", ends_at=T0 + 2 * HOUR)
    found = silencing(alert(), [silence(source="*"), longer, silence(rule="*")], T0)
    assert found is longer


def test_downtime_hides_the_errors_of_its_own_endpoint() -> None:
    down = alert("endpoint_down")
    assert inhibiting(alert("error_rate"), [down]) is down


@pytest.mark.parametrize(
    "other",
    [
        alert("endpoint_down", endpoint="refunds"),
        alert("endpoint_down", source="orum"),
        alert("endpoint_down", state=State.RESOLVED),
        alert("endpoint_down", state=State.PENDING),
        alert("queue_depth"),
    ],
)
def test_nothing_else_hides_them(other: object) -> None:
    assert inhibiting(alert("error_rate"), [other]) is None  # type: ignore[list-item]


def test_forged_signatures_and_certificates_are_never_hidden() -> None:
    down = alert("endpoint_down")
    for kind in ("verification_failures", "certificate_expiry", "queue_depth", "endpoint_down"):
        assert inhibiting(alert(kind), [down]) is None


def test_every_route_that_matches_adds_its_channels_once() -> None:
    routes = [
        Route(("slack",)),
        Route(("slack", "email"), matchers={"source": "stripe"}),
        Route(("orum-team",), matchers={"source": "orum"}),
    ]
    assert list(routed_channels(alert(), routes)) == ["slack", "email"]


@pytest.mark.parametrize(
    ("severity", "channels"),
    [
        (Severity.INFO, ["log"]),
        (Severity.WARNING, ["log", "slack"]),
        (Severity.ERROR, ["log", "slack"]),
        (Severity.CRITICAL, ["log", "slack", "pager"]),
    ],
)
def test_routes_select_on_severity(severity: Severity, channels: list[str]) -> None:
    routes = [
        Route(("log",)),
        Route(("slack",), min_severity=Severity.WARNING),
        Route(("pager",), min_severity=Severity.CRITICAL),
    ]
    assert list(routed_channels(alert(severity=severity), routes)) == channels


def test_channel_of_two_routes_repeats_as_the_more_frequent_says() -> None:
    seldom, often = Route(("slack",), repeat=every(4 * HOUR)), Route(("slack",), repeat=every(HOUR))
    assert routed_channels(alert(), [seldom, often, Route(("slack",))])["slack"] is often
    assert routed_channels(alert(), [often, seldom])["slack"] is often


def test_same_trouble_at_many_endpoints_of_a_source_is_one_group() -> None:
    many = [notification(alert("endpoint_down", endpoint=name)) for name in ("a", "b", "c")]
    other = notification(alert("endpoint_down", source="orum"))
    elsewhere = notification(alert("endpoint_down", endpoint="d"), channel="email")
    assert grouped([many[0], other, many[1], elsewhere, many[2]]) == [
        tuple(many),
        (other,),
        (elsewhere,),
    ]


def test_silence_of_certain_hours_holds_by_the_clocks_of_its_place_only() -> None:
    hours = hours_of("22:00-07:00", "Europe/Berlin", "sat")
    silence = Silence("s", {"source": "stripe"}, T0 - 1000 * HOUR, T0 + 1000 * HOUR, hours=hours)
    before_change = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # 22:00 in summer
    after_change = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)  # 07:00 in winter, ten hours later
    assert silencing(alert(), [silence], before_change) is silence
    assert silencing(alert(), [silence], before_change - timedelta(seconds=1)) is None
    assert silencing(alert(), [silence], after_change - timedelta(seconds=1)) is silence
    assert silencing(alert(), [silence], after_change) is None


@pytest.mark.parametrize(
    ("label", "pattern", "said"),
    [
        ("sorce", "stripe", "did you mean source?"),
        ("two words", "x", "is no label"),
        ("source", "", "has no pattern"),
        ("severity", "critcal", "is no severity"),
    ],
)
def test_matcher_that_cannot_be_meant_is_told_with_the_expected_form(
    label: str, pattern: str, said: str
) -> None:
    assert said in (matcher_problem(label, pattern) or "")


@pytest.mark.parametrize(
    ("label", "pattern"), [("source", "str*"), ("severity", "*"), ("severity", "critical"), ("team", "core")]
)
def test_matcher_of_a_known_or_an_own_label_is_taken(label: str, pattern: str) -> None:
    assert matcher_problem(label, pattern) is None
