"""The one way a signature check fails: VerificationError, with a reason from a fixed list.

Never carries a secret or the signature that was expected, so it may be logged as it stands.
"""

MISSING_SIGNATURE = "missing_signature"
MALFORMED_SIGNATURE = "malformed_signature"
BAD_SIGNATURE = "bad_signature"
UNKNOWN_KEY = "unknown_key"
TIMESTAMP_TOO_OLD = "timestamp_too_old"
TIMESTAMP_IN_FUTURE = "timestamp_in_future"


class VerificationError(Exception):
    """A request that must not be trusted. `reason` is one of this module's constants."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class MissingDependency(RuntimeError):
    """A scheme needs a package that is not installed; the message names the extra to install."""


def only_the_provider(how: str) -> ValueError:
    """Why we cannot sign, and what helps. how: e.g. `like paypal`."""
    return ValueError(
        f"only the provider can sign {how}: the private key is its own. Try the handlers under another "
        "scheme, such as hmac, or with the headers of hookvitals.replay_headers"
    )
