"""What an HTTP service's answer means for a message, the same for every channel that speaks HTTP."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from alerts.errors import ChannelError, Failure, RequestFailed
from alerts.http import Response

RETRYABLE_CLIENT_ERRORS = frozenset({408, 425, 429})
CODE_WORD = re.compile(rb"(?=.{3,60}\Z)[a-z]+(_[a-z]+)*")


def accepted(channel: str, answer: Response, now: Callable[[], datetime]) -> None:
    """Returns when the service took the message (2xx); raises ChannelError for every other status."""
    if not 200 <= answer.status < 300:
        wait_s = retry_after_s(answer.headers, now())
        raise refusal(channel, answer.status, _word(answer.body), wait_s)


def refusal(channel: str, status: int, word: str = "", wait_s: float | None = None) -> ChannelError:
    """The channel's error for a status that is no 2xx. word: what may be shown of the answer."""
    said = f"channel {channel}: the service answered HTTP {status}{word}"
    if status < 400:
        return ChannelError(
            Failure.REDIRECT,
            f"channel {channel}: the service redirects (HTTP {status})",
            retryable=False,
            hint="redirects are not followed; set the final URL",
        )
    if status == 429:
        return ChannelError(Failure.RATE_LIMITED, said, retryable=True, retry_after_s=wait_s)
    if status >= 500 or status in RETRYABLE_CLIENT_ERRORS:
        return ChannelError(Failure.SERVER_ERROR, said, retryable=True, retry_after_s=wait_s)
    if status in (401, 403):
        return ChannelError(
            Failure.AUTHENTICATION, said, retryable=False, hint="look at the channel's URL and secret"
        )
    return ChannelError(
        Failure.CLIENT_ERROR, said, retryable=False, hint="look at the channel's URL and settings"
    )


def unreachable(channel: str, failed: RequestFailed) -> ChannelError:
    """The channel's error for a request that got no answer. A RequestFailed never shows a URL's path."""
    return ChannelError(
        failed.reason, f"channel {channel}: {failed.message}", retryable=failed.retryable, hint=failed.hint
    )


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds a Retry-After header asks for, at least 0; None when it is missing or senseless."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _word(body: bytes) -> str:
    """The service's error code when the body is nothing but one (`invalid_token`). Other text might repeat
    what was sent, secrets among it; those have digits."""
    word = body.strip()
    return f" ({word.decode()})" if CODE_WORD.fullmatch(word) else ""
