"""Slack with a bot's token: one message an episode that turns green, and what Slack's refusals mean."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from alerts.channels.slack_bot import SlackBot
from alerts.errors import ChannelError, Failure
from alerts.http import Client
from alerts.message import Message, compose, compose_group
from alerts.model import Ack, State, Why
from tests.alerts.samples import LINKS, T0, alert, notification
from tests.alerts.support import Seen, Service, loopback_egress, serving

POSTED = {"ok": True, "channel": "C012345", "ts": "1700000000.000100"}
PLACE = "C012345 1700000000.000100"


@dataclass(slots=True)
class Slack:
    """Slack's side: answers the first call with `first`, later ones with `then`."""

    seen: list[Seen] = field(default_factory=list)

    def told(self, message: Message, *answers: dict[str, Any]) -> str:
        """The reference of the receipt."""
        replies = [json.dumps(answer).encode() for answer in answers or (POSTED,)]
        with serving(Service(bodies=replies)) as service:
            bot = SlackBot(
                "team", "xoxb-1", "C012345", Client(loopback_egress()), api_url=f"{service.url}/api"
            )
            try:
                return bot.send(message).reference
            finally:
                self.seen += service.seen

    @property
    def calls(self) -> list[str]:
        return [seen.path for seen in self.seen]

    def body(self, at: int = -1) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.seen[at].body)
        return found


def told_of(reason: Why, earlier: str = "") -> Message:
    of = alert(state=State.RESOLVED if reason is Why.RESOLVED else State.FIRING)
    return compose(notification(of, reason), LINKS, earlier)


def test_message_is_posted_to_the_channel_and_its_place_is_the_receipt() -> None:
    slack = Slack()
    assert slack.told(told_of(Why.FIRING)) == PLACE
    assert slack.calls == ["/api/chat.postMessage"]
    assert slack.seen[0].headers["authorization"] == "Bearer xoxb-1"
    assert slack.body()["channel"] == "C012345"
    assert slack.body()["text"].startswith("🟠 Error: error_rate")
    assert "thread_ts" not in slack.body()


def test_end_turns_the_same_message_green() -> None:
    slack = Slack()
    assert slack.told(told_of(Why.RESOLVED, PLACE)) == PLACE
    assert slack.calls == ["/api/chat.update"]
    assert (slack.body()["channel"], slack.body()["ts"]) == ("C012345", "1700000000.000100")
    assert slack.body()["text"].startswith("🟢 Resolved")


@pytest.mark.parametrize("reason", [Why.SEVERITY_RAISED, Why.REPEAT])
def test_news_in_between_answers_in_the_thread_and_shows_in_the_channel(reason: Why) -> None:
    slack = Slack()
    slack.told(told_of(reason, PLACE))
    assert slack.calls == ["/api/chat.postMessage"]
    assert (slack.body()["thread_ts"], slack.body()["reply_broadcast"]) == ("1700000000.000100", True)


def test_acknowledgement_answers_in_the_thread_alone_and_says_who() -> None:
    slack = Slack()
    taken = alert(ack=Ack("ann", T0, "on it"))
    slack.told(compose(notification(taken, Why.ACKNOWLEDGED), LINKS, PLACE))
    assert (slack.body()["thread_ts"], slack.body()["reply_broadcast"]) == ("1700000000.000100", False)
    assert slack.body()["text"].startswith("🟠 Acknowledged: error_rate")
    assert "ann, 2026-11-21 03:00 UTC: on it" in str(slack.body())


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
def test_message_that_can_no_longer_be_changed_gets_an_answer(error: str) -> None:
    slack = Slack()
    slack.told(told_of(Why.RESOLVED, PLACE), {"ok": False, "error": error}, POSTED)
    assert slack.calls == ["/api/chat.update", "/api/chat.postMessage"]
    assert slack.body()["text"].startswith("🟢 Resolved")


@pytest.mark.parametrize(
    ("ended", "call"), [(3, "chat.update"), (2, "chat.postMessage"), (1, "chat.postMessage")]
)
def test_message_that_spoke_for_many_turns_green_when_all_of_them_end(ended: int, call: str) -> None:
    slack = Slack()
    fired = [alert("endpoint_down", endpoint=f"e{n}") for n in range(3)]
    place = slack.told(compose_group(tuple(map(notification, fired)), LINKS))
    over = tuple(notification(replace(one, state=State.RESOLVED), Why.RESOLVED) for one in fired[:ended])
    slack.told(compose_group(over, LINKS, place))
    assert slack.calls == ["/api/chat.postMessage", f"/api/{call}"]
    assert slack.body()["ts" if ended == 3 else "thread_ts"] == "1700000000.000100"


def test_reference_of_another_kind_of_channel_is_no_place_in_slack() -> None:
    slack = Slack()
    slack.told(told_of(Why.RESOLVED, "<0a1b@example.com>"))
    assert slack.calls == ["/api/chat.postMessage"]


@pytest.mark.parametrize(
    ("error", "retryable", "reason"),
    [
        ("ratelimited", True, Failure.RATE_LIMITED),
        ("internal_error", True, Failure.SERVER_ERROR),
        ("a_word_of_tomorrow", True, Failure.SERVER_ERROR),
        ("invalid_auth", False, Failure.AUTHENTICATION),
        ("token_revoked", False, Failure.AUTHENTICATION),
        ("missing_scope", False, Failure.AUTHENTICATION),
        ("channel_not_found", False, Failure.SETTINGS),
        ("not_in_channel", False, Failure.SETTINGS),
        ("is_archived", False, Failure.SETTINGS),
        ("invalid_blocks", False, Failure.CLIENT_ERROR),
    ],
)
def test_slacks_word_decides_whether_to_try_again(error: str, retryable: bool, reason: Failure) -> None:
    with pytest.raises(ChannelError, match=error) as failed:
        Slack().told(told_of(Why.FIRING), {"ok": False, "error": error})
    assert (failed.value.retryable, failed.value.reason) == (retryable, reason)


def test_sentence_in_place_of_a_word_is_not_repeated() -> None:
    with pytest.raises(ChannelError) as failed:
        Slack().told(told_of(Why.FIRING), {"ok": False, "error": "bad token xoxb-1"})
    assert "xoxb" not in str(failed.value)


def test_what_is_not_slack_is_told_and_tried_again() -> None:
    with serving(Service(body=b"<html>login</html>")) as service:
        bot = SlackBot("team", "xoxb-1", "C012345", Client(loopback_egress()), api_url=service.url)
        with pytest.raises(ChannelError, match="not Slack's API") as failed:
            bot.send(told_of(Why.FIRING))
    assert failed.value.retryable
