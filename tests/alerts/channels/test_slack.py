"""The Slack message: its limits, its escapes, its end in green."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.channels.slack import Slack, escaped, fitted, rendered
from alerts.http import Client
from alerts.message import Message
from alerts.model import ErrorCount, Severity, State, Why
from tests.alerts.samples import EVIDENCE, alert, message
from tests.alerts.support import Service, loopback_egress, serving

LIMITS = {"header": 150, "section": 3000, "field": 2000, "button": 75, "url": 3000}


def texts(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (kind, text) of the post, by the limit that holds for it."""
    for block in body["blocks"]:
        if "text" in block:
            yield block["type"], block["text"]["text"]
        for field in block.get("fields", []):
            yield "field", field["text"]
        for element in block.get("elements", []):
            yield "button", element["text"]["text"]
            yield "url", element["url"]


def hostile(word: str) -> Message:
    return message(
        alert(
            rule=word or "r",
            labels={"environment": word, "source": word, "endpoint": word},
            runbook="https://runbooks.example/" + word,
            evidence=replace(
                EVIDENCE,
                summary=word,
                top_errors=tuple(ErrorCount(word, n) for n in range(9)),
                exemplars=(word,) * 9,
            ),
        )
    )


def test_post_arrives_as_json_with_text_and_blocks() -> None:
    with serving(Service()) as service:
        Slack("slack", f"{service.url}/services/T0/B0/x", Client(loopback_egress())).send(message())
    [seen] = service.seen
    body = json.loads(seen.body)
    assert (seen.method, seen.path) == ("POST", "/services/T0/B0/x")
    assert seen.headers["content-type"].startswith("application/json")
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)
    assert body["text"].startswith(
        "🟠 Error: error_rate at stripe/payments\n12.4 % of stripe/payments failed"
    )
    assert [block["type"] for block in body["blocks"]] == [
        "header",
        "section",
        "section",
        "section",
        "section",
        "actions",
    ]


def test_post_says_what_since_when_how_bad_and_where_to_go() -> None:
    everything = json.dumps(rendered(message()), ensure_ascii=False)
    for said in (
        "12.4 % of stripe/payments failed",
        "2026-11-21 03:00 UTC",
        "*Threshold*\\n5 %",
        "• DatabaseTimeout: 300",
        "• <https://monitor.example/hooks/records/0193f000-0000-7000-8000-000000000001"
        "|0193f000-0000-7000-8000-000000000001>",
        f"https://monitor.example/hooks/alerts/{alert().fingerprint}",
        "https://runbooks.example/error-rate",
    ):
        assert said in everything


@pytest.mark.parametrize(
    ("severity", "mark"),
    [
        (Severity.INFO, "🔵"),
        (Severity.WARNING, "🟡"),
        (Severity.ERROR, "🟠"),
        (Severity.CRITICAL, "🔴"),
    ],
)
def test_severity_is_seen_at_a_glance(severity: Severity, mark: str) -> None:
    assert rendered(message(alert(severity=severity)))["text"].startswith(mark)


def test_end_is_green_and_asks_for_nothing() -> None:
    body = rendered(message(alert(state=State.RESOLVED), Why.RESOLVED))
    assert body["text"].startswith("🟢 Resolved")
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section", "actions"]


def test_button_to_the_runbook_only_for_a_web_address() -> None:
    actions = rendered(message(alert(runbook="javascript:alert(1)")))["blocks"][-1]
    assert [button["text"]["text"] for button in actions["elements"]] == ["Open alert"]


def test_monitor_that_does_not_know_its_own_address_still_posts() -> None:
    body = rendered(replace(message(alert(runbook="")), url="/alerts/1"))
    assert "actions" not in {block["type"] for block in body["blocks"]}


@settings(deadline=None)  # other work on the machine is no failure
@given(st.text(max_size=60), st.integers(1, 500))
def test_no_text_from_outside_breaks_a_limit_or_escapes_its_escape(word: str, times: int) -> None:
    body = rendered(hostile(word * times))
    json.dumps(body).encode()
    assert len(body["blocks"]) <= 50
    assert len(body["text"]) <= 4000
    for kind, text in texts(body):
        assert 0 < len(text) <= LIMITS[kind]


def test_largest_message_keeps_every_limit_of_slack() -> None:
    long = "&" * 5000
    body = rendered(
        replace(
            message(),
            title=long,
            summary=long,
            facts=tuple((f"fact {n}", long) for n in range(20)),
            top_errors=tuple(ErrorCount(long, n) for n in range(100)),
        )
    )
    assert len(body["text"]) <= 4000
    assert max(len(block.get("fields", [])) for block in body["blocks"]) == 10
    for kind, text in texts(body):
        assert 0 < len(text) <= LIMITS[kind]


MENTIONS = ["<!channel>", "<@U123>", "<https://evil.example|Open alert>", "<!here|x>", "&lt;!channel&gt;"]


@pytest.mark.parametrize("word", MENTIONS)
def test_nobody_can_be_mentioned_and_no_link_forged_from_outside(word: str) -> None:
    for kind, text in texts(rendered(hostile(word))):
        if kind == "url":
            continue
        assert not re.search(
            r"[<>]", re.sub(r"<https://monitor\.example/hooks/records/[^<>|]*\|[^<>|]*>", "", text)
        )
        assert word not in text
    assert word not in rendered(hostile(word))["text"]


def test_text_is_cut_before_an_escape_and_never_inside_one() -> None:
    assert fitted("&&&", 15) == "&amp;&amp;&amp;"
    assert fitted("&&&&", 15) == "&amp;&amp;…"
    assert fitted("abcdef", 4) == "abc…"


@settings(deadline=None)  # other work on the machine is no failure
@given(st.text(), st.integers(1, 50))
def test_cut_text_is_the_head_of_the_escaped_text(text: str, limit: int) -> None:
    short = fitted(text, limit)
    assert len(short) <= limit
    assert escaped(text).startswith(short.removesuffix("…")) or short == escaped(text)
