"""Slack by incoming webhook: one Block Kit message a notification.

An incoming webhook cannot change what it posted, so the end of an alert is a second message. Whatever came
from outside is escaped, so that it can neither mention anybody nor forge a link.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from alerts.channels.channel import Receipt
from alerts.channels.posting import TIMEOUT_S, Now, Poster, encoded, utc_now
from alerts.http import Client
from alerts.message import Message
from alerts.model import Severity
from alerts.wording import number

HEADER_CHARS = 150
SECTION_CHARS = 3000
FIELD_CHARS = 2000
TEXT_CHARS = 4000
URL_CHARS = 3000
MAX_FIELDS = 10
URL_SAFE = ":/?#[]@!$&'()*+,;=%-._~"

MARKS = {
    Severity.INFO: "🔵",
    Severity.WARNING: "🟡",
    Severity.ERROR: "🟠",
    Severity.CRITICAL: "🔴",
}
NO_PREVIEW = {"unfurl_links": False, "unfurl_media": False}
"""Slack would open the links of a message to show what is behind them."""
RESOLVED_MARK = "🟢"

Block = dict[str, Any]


class Slack:
    """One incoming webhook. url is a secret: it stands in no error and in no repr."""

    gathers = True

    def __init__(
        self,
        name: str,
        url: str,
        client: Client,
        *,
        now: Now = utc_now,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = name
        self._url = url
        self._poster = Poster(name, client, now=now, timeout_s=timeout_s)

    def send(self, message: Message) -> Receipt:
        """Posts the message. Raises ChannelError; 429 and 5xx are worth another try."""
        self._poster.post(self._url, encoded({**NO_PREVIEW, **rendered(message)}))
        return Receipt()


def rendered(message: Message) -> Block:
    """The JSON of the post: `text` for notifications and screen readers, `blocks` for the screen."""
    mark = RESOLVED_MARK if message.resolved else MARKS[message.severity]
    title = f"{mark} {message.title}"
    return {
        "text": fitted(f"{title}\n{message.summary}", TEXT_CHARS),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": fitted(title, HEADER_CHARS)}},
            _section(fitted(message.summary, SECTION_CHARS) or "–"),
            {"type": "section", "fields": _fields(message)},
            *_errors(message),
            *_exemplars(message),
            *_actions(message),
        ],
    }


def _fields(message: Message) -> list[Block]:
    return [
        {"type": "mrkdwn", "text": f"*{escaped(label)}*\n{fitted(text, FIELD_CHARS - 200)}"}
        for label, text in message.facts[:MAX_FIELDS]
    ]


def _errors(message: Message) -> list[Block]:
    if not message.top_errors:
        return []
    lines = [f"• {fitted(item.name, 200)}: {number(item.count)}" for item in message.top_errors]
    return _list("*Top errors*", lines)


def _exemplars(message: Message) -> list[Block]:
    if not message.exemplars:
        return []
    lines = [f"• {_link(item.url, item.id)}" for item in message.exemplars]
    return _list("*Records to look at*", lines)


def _actions(message: Message) -> list[Block]:
    """The buttons. Slack refuses a whole post for one bad address, so such a button is left out."""
    wanted = (
        ("Open alert", message.url),
        ("Acknowledge", message.acknowledge_url),
        ("Silence", message.silence_url),
        ("Runbook", message.runbook),
    )
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": label}, "url": _address(url)}
        for label, url in wanted
        if _address(url)
    ]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _address(url: str) -> str:
    """The URL as Slack takes it; empty for one that it would refuse."""
    address = quote(url, safe=URL_SAFE)
    return address if url.startswith(("https://", "http://")) and len(address) <= URL_CHARS else ""


def _link(url: str, text: str) -> str:
    """The text as a link, or bare when the address could break out of the link."""
    address = _address(url)
    label = fitted(text, 100)
    return f"<{address}|{label}>" if address and not re.search(r"[<>|&]", address + label) else label


def _list(heading: str, lines: list[str]) -> list[Block]:
    """The heading and as many whole lines as fit."""
    text = heading
    for line in lines:
        if len(text) + 1 + len(line) <= SECTION_CHARS:
            text += f"\n{line}"
    return [_section(text)] if text != heading else []


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def escaped(text: str) -> str:
    """The text with the three characters Slack reads as markup made harmless; other controls become
    spaces."""
    text = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, limit: int) -> str:
    """The text escaped and at most `limit` characters long, with an ellipsis where it was cut, never inside
    an escape."""
    whole = escaped(text)
    if len(whole) <= limit:
        return whole
    room = limit - 1
    kept: list[str] = []
    for character in text[:limit]:
        piece = escaped(character)
        if len(piece) > room:
            break
        kept.append(piece)
        room -= len(piece)
    return "".join(kept) + "…"
