"""Slack with a bot's token: one message an episode, turned green when the alert ends.

What comes between (a raised severity, a repeat) answers in the thread of that message and shows in the
channel too, since a changed message alerts nobody; an acknowledgement shows in the thread alone. A message
that spoke for several alerts turns green when all of them end together; the end of some is an answer below
it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.channels.channel import Receipt
from alerts.channels.posting import TIMEOUT_S, Now, Poster, encoded, utc_now
from alerts.channels.slack import NO_PREVIEW, rendered
from alerts.errors import ChannelError, Failure
from alerts.http import Client
from alerts.message import Message, plain
from alerts.model import Why

API_URL = "https://slack.com/api"

AUTHENTICATION = frozenset(
    {
        "access_denied",
        "account_inactive",
        "enterprise_is_restricted",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
SETTINGS = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})
REFUSED = frozenset(
    {
        "block_mismatch",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_json",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
CANNOT_CHANGE = frozenset(
    {"cant_update_message", "edit_window_closed", "message_not_found", "cannot_update_message"}
)
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


class _Said(msgspec.Struct):
    """What Slack answers to a call."""

    ok: bool
    error: str = ""
    channel: str = ""
    ts: str = ""


_read_said = msgspec.json.Decoder(_Said).decode  # here, where one thread imports: not safe at a first use


class SlackBot:
    """One Slack channel, written to by one app. token is a secret; channel: an id such as C0123456789."""

    gathers = True
    amends = True
    acknowledges = True

    def __init__(
        self,
        name: str,
        token: str,
        channel: str,
        client: Client,
        *,
        api_url: str = API_URL,
        now: Now = utc_now,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = name
        self._headers = {"Authorization": f"Bearer {token}"}
        self._channel = channel
        self._api_url = api_url.rstrip("/")
        self._poster = Poster(name, client, now=now, timeout_s=timeout_s)

    def send(self, message: Message) -> Receipt:
        """Posts the message, or turns the one that opened its thread green; the reference says where it
        stands. Raises ChannelError."""
        body = rendered(message)
        channel, ts, spoke_for = _place(message.earlier)
        if message.resolved and ts and len(message.alerts) == spoke_for:
            said = self._call("chat.update", {"channel": channel, "ts": ts, **body})
            if said.ok:
                return Receipt(reference=message.earlier)
        post = {"channel": self._channel, **NO_PREVIEW, **body}
        if ts and channel:
            aloud = message.reason is not Why.ACKNOWLEDGED
            post |= {"channel": channel, "thread_ts": ts, "reply_broadcast": aloud}
        said = self._call("chat.postMessage", post)
        many = f" {len(message.alerts)}" if len(message.alerts) > 1 else ""
        return Receipt(reference=f"{plain(said.channel, 40)} {plain(said.ts, 40)}{many}")

    def _call(self, method: str, body: dict[str, Any]) -> _Said:
        """What Slack says. Not ok only for a message that can no longer be changed; raises ChannelError for
        everything else."""
        answer = self._poster.post(f"{self._api_url}/{method}", encoded(body), self._headers)
        try:
            said = _read_said(answer.body)
        except msgspec.DecodeError:
            raise ChannelError(
                Failure.BROKEN_RESPONSE,
                f"channel {self.name}: what answered is not Slack's API",
                retryable=True,
                hint="look at api_url",
            ) from None
        if said.ok or (method == "chat.update" and said.error in CANNOT_CHANGE):
            return said
        raise self._refusal(said.error)

    def _refusal(self, word: str) -> ChannelError:
        """Slack's word for what went wrong. A word that is not known is tried again: a page is not given up
        over it."""
        known = {**dict.fromkeys(AUTHENTICATION, Failure.AUTHENTICATION)}
        known |= dict.fromkeys(SETTINGS, Failure.SETTINGS) | dict.fromkeys(REFUSED, Failure.CLIENT_ERROR)
        known |= dict.fromkeys(LIMITED, Failure.RATE_LIMITED)
        reason = known.get(word, Failure.SERVER_ERROR)
        hint = {
            Failure.AUTHENTICATION: "look at the app's token and its scope chat:write",
            Failure.SETTINGS: "look at the channel's id, and invite the app to it",
        }.get(reason, "")
        shown = word if word.isascii() and word.replace("_", "").isalpha() and len(word) < 60 else "an error"
        return ChannelError(
            reason,
            f"channel {self.name}: Slack answered {shown}",
            retryable=reason in (Failure.SERVER_ERROR, Failure.RATE_LIMITED),
            hint=hint,
        )


def _place(reference: str) -> tuple[str, str, int]:
    """(channel, ts, how many alerts it spoke for) of an earlier receipt; empty for none."""
    channel, _, rest = reference.partition(" ")
    ts, _, many = rest.partition(" ")
    return channel, ts, int(many) if many.isdecimal() else 1
