"""PagerDuty: what becomes of an incident, how severe it is, and that a test leaves none open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alerts.channels.pagerduty import PagerDuty
from alerts.errors import SettingInvalid
from alerts.http import Client
from alerts.message import Message, compose_group
from alerts.model import Severity, State, Why
from alerts.rules import TICKETS
from tests.alerts.samples import EVIDENCE, LINKS, alert, message, notification
from tests.alerts.support import Service, loopback_egress, serving

KEY = "e93facc04764012d7bfb002500d5d1a6"


def events_of(sent: Any) -> list[dict[str, Any]]:
    with serving(Service(status=202, body=b'{"status": "success"}')) as service:
        url = f"{service.url}/v2/enqueue"
        receipt = PagerDuty("pager", KEY, Client(loopback_egress()), events_url=url).send(sent)
    assert receipt.reference
    assert {seen.path for seen in service.seen} == {"/v2/enqueue"}
    return [json.loads(seen.body) for seen in service.seen]


def test_firing_triggers_an_incident_with_the_evidence() -> None:
    [event] = events_of(message())
    payload = event["payload"]
    assert (event["routing_key"], event["event_action"]) == (KEY, "trigger")
    assert event["dedup_key"] == f"{alert().fingerprint}.1"
    assert payload["summary"] == f"Error: error_rate at stripe/payments: {EVIDENCE.summary}"
    assert (payload["source"], payload["component"], payload["group"]) == (
        "stripe/payments",
        "payments",
        "stripe",
    )
    assert payload["timestamp"] == "2026-11-21T03:00:00+00:00"
    assert payload["custom_details"]["top errors"] == {"DatabaseTimeout": 300, "KeyError": 10}
    assert payload["custom_details"]["Threshold"] == "5 %"
    assert [link["text"] for link in event["links"]] == [
        "Open the alert",
        "Record 0193f000-0000-7000-8000-000000000001",
        "Runbook",
    ]


def test_long_texts_are_cut_to_pagerdutys_limits() -> None:
    long = "word " * 1000
    labels = {"environment": long, "source": long, "endpoint": long}
    [event] = events_of(message(alert(rule=long, labels=labels, evidence=replace(EVIDENCE, summary=long))))
    payload = event["payload"]
    assert len(payload["summary"]) == 1024
    assert {len(payload[part]) for part in ("source", "component", "group", "class")} == {255}


@pytest.mark.parametrize(
    ("severity", "word"),
    [
        (Severity.INFO, "info"),
        (Severity.WARNING, "warning"),
        (Severity.ERROR, "error"),
        (Severity.CRITICAL, "critical"),
    ],
)
def test_severity_is_pagerdutys_own_word(severity: Severity, word: str) -> None:
    assert events_of(message(alert(severity=severity)))[0]["payload"]["severity"] == word


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        (Why.FIRING, "trigger"),
        (Why.SEVERITY_RAISED, "trigger"),
        (Why.REPEAT, "trigger"),
        (Why.ESCALATED, "trigger"),
        (Why.FALLBACK, "trigger"),
        (Why.ACKNOWLEDGED, "acknowledge"),
        (Why.RESOLVED, "resolve"),
    ],
)
def test_all_news_of_an_episode_is_about_one_incident(reason: Why, action: str) -> None:
    of = alert(state=State.RESOLVED if reason is Why.RESOLVED else State.FIRING)
    [event] = events_of(message(of, reason))
    assert (event["event_action"], event["dedup_key"]) == (action, f"{of.fingerprint}.1")
    assert ("payload" in event) is (action == "trigger")


def test_next_episode_is_another_incident() -> None:
    assert events_of(message(alert(episode=2)))[0]["dedup_key"] == f"{alert().fingerprint}.2"


@pytest.mark.parametrize("reason", [Why.TEST, Why.DRILL])
def test_exercise_leaves_no_incident_open(reason: Why) -> None:
    triggered, resolved = events_of(message(reason=reason))
    assert (triggered["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert triggered["dedup_key"] == resolved["dedup_key"]


def test_alerts_told_of_together_are_incidents_of_their_own() -> None:
    group = tuple(notification(alert("endpoint_down", endpoint=f"e{n}")) for n in range(3))
    events = events_of(compose_group(group, LINKS))
    assert len({event["dedup_key"] for event in events}) == 3
    assert [event["payload"]["component"] for event in events] == ["e0", "e1", "e2"]


@pytest.mark.parametrize("key", ["", "has space", "e93f-acc0", "schlüssel"])
def test_routing_key_that_is_none_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(SettingInvalid, match="integration key") as refused:
        PagerDuty("pager", key, Client(loopback_egress()))
    assert not key or key not in str(refused.value)


@pytest.mark.parametrize("kind", sorted(TICKETS))
def test_ticket_pages_nobody_and_the_receipt_says_so(kind: str) -> None:
    assert_not_sent(message(alert(kind)))


def test_reminder_pages_nobody_and_the_receipt_says_so() -> None:
    assert_not_sent(message(reason=Why.REMINDER))


def assert_not_sent(said: Message) -> None:
    with serving(Service()) as service:
        pager = PagerDuty("pager", KEY, Client(loopback_egress()), events_url=service.url)
        assert "not sent" in pager.send(said).warning
    assert service.seen == []
