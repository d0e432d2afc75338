"""A provider's question about the endpoint is answered once its signature held, and reaches no handler."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from hookvitals import Receiver
from tests.sdk.world import NOW, URL, Answered, World

TOKEN = "qgg8vlvZRS6UYooatFL8Aw"
QUESTIONS: dict[str, dict[str, Any]] = {
    "slack": {
        "type": "url_verification",
        "token": "old",
        "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkv",
    },
    "zoom": {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": TOKEN}},
}


def ask(receiver: Receiver, question: Any, *, forged: bool = False) -> Answered:
    body = json.dumps(question).encode()
    headers = receiver.settings.scheme.sign(body, NOW)
    return Answered(receiver.handle("POST", URL, headers, body + b" " if forged else body))


def test_slack_gets_its_challenge_back(world: World) -> None:
    receiver = world.receiver("slack", system=None, secrets=["s"])

    answer = ask(receiver, QUESTIONS["slack"])

    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": QUESTIONS["slack"]["challenge"]})
    assert world.handled == []
    (record,) = world.records()
    assert (record["outcome"], record["event_type"], record["http_status"]) == ("unhandled", "challenge", 200)


@pytest.mark.parametrize("secrets", [["new", "old"], ["old", "new"]])
def test_zoom_gets_its_token_under_the_secret_that_it_signed_with(world: World, secrets: list[str]) -> None:
    receiver = world.receiver("zoom", system=None, secrets=secrets)

    answer = ask(receiver, QUESTIONS["zoom"])

    mac = hmac.new(secrets[0].encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert json.loads(answer.body) == {"plainToken": TOKEN, "encryptedToken": mac}


@pytest.mark.parametrize("system", sorted(QUESTIONS))
def test_who_cannot_sign_gets_no_answer(world: World, system: str) -> None:
    receiver = world.receiver(system, system=None, secrets=["s"])

    answer = ask(receiver, QUESTIONS[system], forged=True)

    assert answer.status == 401
    assert TOKEN.encode() not in answer.body
    assert b"3eZbrw" not in answer.body


@pytest.mark.parametrize(
    ("system", "question"),
    [
        ("slack", {"type": "url_verification"}),
        ("slack", {"type": "url_verification", "challenge": 5}),
        ("slack", {"type": "url_verification", "challenge": "x" * 5000}),
        ("slack", []),
        ("slack", None),
        ("zoom", {"event": "endpoint.url_validation"}),
        ("zoom", {"event": "endpoint.url_validation", "payload": {"plainToken": None}}),
    ],
)
def test_what_is_no_question_is_judged_like_an_event(world: World, system: str, question: Any) -> None:
    receiver = world.receiver(system, system=None, secrets=["s"], handle=None)

    answer = ask(receiver, question)

    assert b"encryptedToken" not in answer.body
    assert b"challenge" not in answer.body
    assert answer.status == (200 if isinstance(question, dict) and "event" in question else 400)


def test_half_a_character_gets_an_answer(world: World) -> None:
    receiver = world.receiver("zoom", system=None, secrets=["s"])
    question = {"event": "endpoint.url_validation", "payload": {"plainToken": "\ud800"}}

    assert ask(receiver, question).status == 200


def test_an_event_that_names_no_id_is_known_by_its_body(world: World) -> None:
    receiver = world.receiver("zoom", system=None, secrets=["s"])
    started = {"event": "meeting.started", "event_ts": 1, "payload": {"object": {"id": 1}}}

    statuses = [ask(receiver, event).status for event in (started, started, {**started, "event_ts": 2})]

    assert statuses == [200, 200, 200]
    assert world.outcomes() == ["succeeded", "duplicate", "succeeded"]
