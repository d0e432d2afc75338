"""What a message says to a person: what, since when, how bad, what to look at, where to go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.message import Exemplar, Links, compose, compose_group, plain
from alerts.model import ErrorCount, Severity, State, Why
from tests.alerts.samples import EVIDENCE, LINKS, alert, message, notification


def test_message_holds_all_that_the_person_on_call_asks() -> None:
    said = message()
    assert said.title == "Error: error_rate at stripe/payments"
    assert said.summary == EVIDENCE.summary
    assert dict(said.facts) == {
        "Since": "2026-11-21 03:00 UTC",
        "Value": "12.4 %",
        "Threshold": "5 %",
        "Severity": "error",
        "Environment": "production",
    }
    assert said.top_errors[0] == ErrorCount("DatabaseTimeout", 300)
    record_id = "0193f000-0000-7000-8000-000000000001"
    assert said.exemplars == (Exemplar(record_id, f"https://monitor.example/hooks/records/{record_id}"),)
    assert said.url == f"https://monitor.example/hooks/alerts/{alert().fingerprint}"
    assert said.runbook == "https://runbooks.example/error-rate"


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        (Why.FIRING, "Error: error_rate at stripe/payments"),
        (Why.FALLBACK, "Error: error_rate at stripe/payments"),
        (Why.SEVERITY_RAISED, "Now error: error_rate at stripe/payments"),
        (Why.REPEAT, "Still error: error_rate at stripe/payments"),
        (Why.RESOLVED, "Resolved: error_rate at stripe/payments"),
        (Why.FLAPPING, "Flapping, error: error_rate at stripe/payments"),
        (Why.ESCALATED, "Nobody took it on, error: error_rate at stripe/payments"),
        (Why.TEST, "Test of the channel ops: nothing is wrong"),
        (Why.DRILL, "[DRILL] Weekly drill of the channel ops: nothing is wrong"),
    ],
)
def test_title_says_what_kind_of_news_it_is(reason: Why, title: str) -> None:
    assert message(reason=reason).title == title


def test_end_says_how_long_it_lasted_and_points_at_no_failures() -> None:
    said = message(alert(state=State.RESOLVED), Why.RESOLVED)
    assert dict(said.facts)["Resolved"] == "2026-11-21 03:32 UTC, after 32 min"
    assert dict(said.facts)["Now"] == "12.4 %"
    assert (said.resolved, said.top_errors, said.exemplars) == (True, (), ())


def test_queue_and_event_type_stand_in_the_title() -> None:
    labels = {**alert().labels, "queue": "inbox"}
    assert message(alert("queue_depth", labels=labels)).title == "Error: queue_depth at stripe/payments inbox"


def test_messages_of_one_episode_share_a_thread_that_the_firing_opens() -> None:
    firing, end = message(), message(alert(state=State.RESOLVED), Why.RESOLVED)
    assert firing.thread == end.thread != message(alert(episode=2)).thread
    assert (firing.opens_thread, end.opens_thread) == (True, False)


def test_message_names_a_few_errors_and_records_only() -> None:
    many = replace(
        EVIDENCE,
        top_errors=tuple(ErrorCount(f"E{n}", 9 - n) for n in range(9)),
        exemplars=tuple(map(str, range(9))),
    )
    said = message(alert(evidence=many))
    assert (len(said.top_errors), len(said.exemplars)) == (5, 5)


def test_group_is_one_message_for_all_its_places() -> None:
    group = tuple(
        notification(alert("endpoint_down", endpoint=f"e{n}", severity=severity))
        for n, severity in enumerate([Severity.ERROR, Severity.CRITICAL] + [Severity.ERROR] * 10)
    )
    said = compose_group(group, LINKS)
    assert said.title == "Critical: endpoint_down at 12 places"
    assert said.summary.splitlines() == [EVIDENCE.summary] * 10 + ["and 2 more"]
    assert said.url == "https://monitor.example/hooks/alerts"
    assert said.key == compose_group(tuple(reversed(group)), LINKS).key


def test_group_of_one_is_its_own_message() -> None:
    assert compose_group((notification(),), LINKS) == compose(notification(), LINKS)


def test_group_speaks_of_every_alert_and_carries_the_labels_they_share() -> None:
    group = tuple(notification(alert("endpoint_down", endpoint=f"e{n}")) for n in range(3))
    said = compose_group(group, LINKS)
    assert [each.labels["endpoint"] for each in said.alerts] == ["e0", "e1", "e2"]
    assert dict(said.labels) == {"environment": "production", "source": "stripe"}


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("as it is", 8, "as it is"),
        ("a\r\n b\t\x00c", 20, "a b c"),
        ("\u202egpj.exe\u200b", 20, "gpj.exe"),
        ("abcdef", 4, "abc…"),
        ("\u200b" * 100 + "hidden", 4, "…"),
        ("\ud800", 4, ""),
    ],
)
def test_text_from_outside_is_one_short_line(text: str, limit: int, shown: str) -> None:
    assert plain(text, limit) == shown


def test_links_encode_what_could_leave_the_path() -> None:
    assert Links("https://m.example").alert("a/../b?c") == "https://m.example/alerts/a%2F..%2Fb%3Fc"
