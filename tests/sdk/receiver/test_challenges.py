"""A provider's question about the endpoint is answered once its signature held, and reaches no handler."""

import hashlib
import hmac
import json
import re
import threading
from typing import Any

import pytest

from hookvitals import Receiver, subscriptions
from hookvitals.answers import Answer as HttpAnswer
from hookvitals.challenges import discord
from tests.sdk.schemes.providers import PROVIDERS, SNS, sns_message
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


# --- Meta: a GET that nobody signs ---

META_URL = "https://hooks.example.com/meta?a=1&hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="


def test_meta_gets_its_challenge_back_for_the_token_it_was_given(world: World) -> None:
    receiver = world.receiver("meta", system=None, secrets=["s"], verify_token="meatyham&fries")

    answer = Answered(receiver.handle("GET", META_URL + "meatyham%26fries", [], b""))

    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.headers["Content-Type"] == "text/plain"
    (record,) = world.records()
    assert (record["outcome"], record["event_type"], record["http_status"]) == ("unhandled", "challenge", 200)


@pytest.mark.parametrize(
    ("url", "token", "status"),
    [
        (META_URL + "other", "mine", 401),
        (META_URL, "mine", 401),
        (META_URL + "mine", None, 405),
        (META_URL.replace("1158201444", "%3Cscript%3E") + "mine", "mine", 405),
        (META_URL.replace("1158201444", "x" * 257) + "mine", "mine", 405),
        (META_URL.replace("subscribe", "unsubscribe") + "mine", "mine", 405),
        ("https://hooks.example.com/meta?" + "&".join(["a=1"] * 30), "mine", 405),
    ],
)
def test_who_does_not_know_the_token_learns_nothing(
    world: World, url: str, token: str | None, status: int
) -> None:
    receiver = world.receiver("meta", system=None, secrets=["s"], verify_token=token)

    answer = Answered(receiver.handle("GET", url, [], b""))

    assert answer.status == status
    assert b"1158201444" not in answer.body
    assert b"script" not in answer.body


def test_a_token_for_meta_opens_no_way_for_events(world: World) -> None:
    receiver = world.receiver("meta", system=None, secrets=["s"], verify_token="mine")

    answer = Answered(receiver.handle("POST", META_URL + "mine", [], b'{"object": "page"}'))

    assert answer.problem["code"] == "missing_signature"


def test_intercom_asks_with_head_and_others_are_told_405(world: World) -> None:
    intercom = world.receiver("intercom", system=None, secrets=["s"])
    other = world.receiver("stripe", system=None, secrets=["s"])

    assert [Answered(each.handle("HEAD", URL, [], b"")).status for each in (intercom, other)] == [200, 405]


def test_intercom_s_ping_is_answered_though_it_has_no_id(world: World) -> None:
    receiver = world.receiver("intercom", system=None, secrets=["s"])
    ping = {"type": "notification_event", "id": None, "topic": "ping", "data": {"item": {"type": "ping"}}}

    statuses = [ask(receiver, each).status for each in (ping, {**ping, "topic": "contact.created"})]

    assert statuses == [200, 400]
    assert world.handled == []
    record, refused = world.records()
    assert (record["outcome"], record["event_type"]) == ("unhandled", "challenge")
    assert (refused["outcome"], refused["reason"]) == ("rejected", "invalid_payload")


# --- Discord and Amazon SNS ---


def test_discord_s_ping_is_answered_and_an_event_is_none() -> None:
    ping = discord({"version": 1, "application_id": "1", "type": 0}, "s")
    assert isinstance(ping, HttpAnswer)
    assert (ping.status, ping.body) == (204, b"")
    assert discord({"application_id": "1", "type": 1, "token": "t"}, "s") == {"type": 1}
    others: list[Any] = [{"type": 1, "event": {"type": "X"}}, {"type": False}, {"type": 2}, {}, [], None]
    for event in others:
        assert discord(event, "s") is None


def sns_receiver(world: World, **settings: Any) -> Receiver:
    provider = PROVIDERS["sns"]
    return world.receiver(
        "sns", system=None, secrets=provider.secrets[:1],
        profile={"scheme_settings": provider.settings(provider.secrets[:1])}, **settings,
    )  # fmt: skip


SUBSCRIBE_URL = (
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    "&TopicArn=arn:aws:sns:eu-west-1:123456789012:one&Token=2336412f37fb687f5d51e6e2425e90cd"
)


def about_a_subscription(kind: str = "SubscriptionConfirmation", url: str = SUBSCRIBE_URL) -> bytes:
    topic = PROVIDERS["sns"].secrets[0]
    message = sns_message(topic, "2027-01-15T08:00:00.000Z", "You have chosen to subscribe")
    del message["Subject"]
    message.update(Type=kind, Token="2336412f", SubscribeURL=url)  # the documents' own
    named = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    text = SNS.signature("".join(f"{name}\n{message[name]}\n" for name in named).encode())
    return json.dumps({**message, "Signature": text}).encode()


def test_a_subscription_is_confirmed_only_where_the_receiver_says_so(world: World) -> None:
    asked: list[str] = []
    done = threading.Event()

    def confirm(url: str) -> None:
        asked.append(url)
        done.set()

    for receiver in (sns_receiver(world), sns_receiver(world, confirm_subscriptions=confirm, endpoint="b")):
        answer = Answered(receiver.handle("POST", URL, [], about_a_subscription()))
        assert answer.status == 200

    assert done.wait(10)
    assert asked == [SUBSCRIBE_URL]
    assert world.handled == []
    assert [record["event_type"] for record in world.records()] == ["challenge", "challenge"]


def test_an_unsubscription_and_a_forged_subscription_confirm_nothing(world: World) -> None:
    asked: list[str] = []
    before = set(threading.enumerate())  # one of an earlier test may end meanwhile
    receiver = sns_receiver(world, confirm_subscriptions=asked.append)

    ended = Answered(receiver.handle("POST", URL, [], about_a_subscription("UnsubscribeConfirmation")))
    forged = about_a_subscription().replace(b"2336412f37", b"2336412f38")
    refused = Answered(receiver.handle("POST", URL, [], forged))

    assert (ended.status, refused.status) == (200, 401)
    assert asked == []
    assert "hookvitals-subscribe" not in {one.name for one in threading.enumerate() if one not in before}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (SUBSCRIBE_URL, True),
        (SUBSCRIBE_URL.replace("sns.eu-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn"), True),
        (SUBSCRIBE_URL.replace("https", "http"), False),
        (SUBSCRIBE_URL.replace("amazonaws.com", "amazonaws.com.evil.example"), False),
        (SUBSCRIBE_URL.replace("sns.", "evil@sns."), False),
        (SUBSCRIBE_URL.replace("ConfirmSubscription", "Unsubscribe"), False),
        (SUBSCRIBE_URL + "#x", False),
        (SUBSCRIBE_URL + " x", False),
        ("https://169.254.169.254/?Action=ConfirmSubscription&Token=1", False),
    ],
)
def test_only_amazon_s_own_address_may_be_asked(url: str, allowed: bool) -> None:
    assert (re.fullmatch(subscriptions.SUBSCRIBE_URL, url) is not None) == allowed
