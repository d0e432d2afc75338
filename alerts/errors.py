"""What can go wrong in alerting.

    AlertsError
    ├── RuleError          a rule's definition cannot be used
    ├── SettingInvalid     a channel's or the egress setting cannot be used
    ├── RequestFailed      an outbound connection or request got no answer
    │   └── EgressRefused  an address may not be dialled; egress.allow decides
    └── ChannelError       a channel did not take a message

Each has a stable `code`, and a `hint` that says what the operator can do. No message carries a secret.
"""

from __future__ import annotations

from enum import StrEnum


class AlertsError(Exception):
    """The root. str() is one clear line: what happened, then the hint."""

    code = "alerts_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class RuleError(AlertsError):
    """A rule's definition names an unknown kind or parameter, or a value outside its range."""

    code = "rule_invalid"


class SettingInvalid(AlertsError):
    """A setting of a channel or of egress is missing or malformed. key: which one, where that is known."""

    code = "setting_invalid"

    def __init__(self, message: str, *, hint: str = "", key: str = "") -> None:
        super().__init__(message, hint=hint)
        self.key = key


class Failure(StrEnum):
    """Why a request or a channel failed; doubles as a metric label."""

    REFUSED_ADDRESS = "refused_address"
    BAD_URL = "bad_url"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    BROKEN_RESPONSE = "broken_response"
    REDIRECT = "redirect"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    CLIENT_ERROR = "client_error"
    AUTHENTICATION = "authentication"
    RECIPIENTS_REFUSED = "recipients_refused"
    SETTINGS = "settings"
    UNEXPECTED = "unexpected"


class RequestFailed(AlertsError):
    """No usable answer. retryable: the same request may well succeed later."""

    code = "request_failed"

    def __init__(self, reason: Failure, message: str, *, retryable: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.retryable = retryable


class EgressRefused(RequestFailed):
    """The address, or one of the addresses a name resolves to, may not be dialled."""

    code = "egress_refused"

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(Failure.REFUSED_ADDRESS, message, retryable=False, hint=hint)


class ChannelError(AlertsError):
    """The channel did not take the message. retry_after_s: what the service asked for, in seconds."""

    code = "channel_error"

    def __init__(
        self,
        reason: Failure,
        message: str,
        *,
        retryable: bool,
        retry_after_s: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.retryable = retryable
        self.retry_after_s = retry_after_s
