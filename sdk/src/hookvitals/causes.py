"""What can be behind a signature that did not hold, each with what it means and what to do about it.

The `cause` of a rejected record is one of these codes, for some followed by a colon and a name or a number.
Decides nothing: a request is refused whatever its cause.
"""

from enum import Enum
from typing import Mapping, Tuple


class Cause(Enum):
    """The code that stands in the record."""

    PREVIOUS_SECRET = "previous_secret"  # noqa: S105  # the name of a fault
    OTHER_ENVIRONMENT = "other_environment"
    OTHER_ENDPOINT = "other_endpoint"
    OTHER_SCHEME = "other_scheme"
    SECRET_ENCODING = "secret_encoding"  # noqa: S105
    SIGNATURE_ENCODING = "signature_encoding"
    SIGNATURE_PREFIX = "signature_prefix"
    CLOCK_SKEW = "clock_skew"
    OTHER_URL = "other_url"
    BODY_RESERIALISED = "body_reserialised"
    BODY_CHARSET = "body_charset"
    BODY_BOM = "body_bom"
    BODY_LINE_ENDINGS = "body_line_endings"
    BODY_TRAILING_NEWLINE = "body_trailing_newline"
    BODY_COMPRESSED = "body_compressed"
    BODY_DECOMPRESSED = "body_decompressed"
    BODY_TRUNCATED = "body_truncated"
    UNKNOWN = "unknown"


ADVICE: Mapping[Cause, Tuple[str, str]] = {
    Cause.PREVIOUS_SECRET: (
        "One of `previous_secrets` signed it: the sender still uses a secret that was taken away here.",
        "Put it back into `secrets` until the sender has changed, then take it out again.",
    ),
    Cause.OTHER_ENVIRONMENT: (
        "The secret of the environment that is named signed it.",
        "Correct the address at the sender, or the secret in this deployment's configuration.",
    ),
    Cause.OTHER_ENDPOINT: (
        "The secret of another receiver of this process, named as source/endpoint, signed it.",
        "The sender has the wrong address of the two, or the two secrets are exchanged.",
    ),
    Cause.OTHER_SCHEME: (
        "It is signed as the scheme that is named signs.",
        "Set `system` to that scheme, or correct the address at the sender.",
    ),
    Cause.SECRET_ENCODING: (
        "The secret is right and stands here in another form: with a line's end, or as base64 or hex that "
        "was to be decoded, or decoded where the text itself is the key.",
        "Copy the secret again exactly as the provider shows it; look at how the file or variable is read.",
    ),
    Cause.SIGNATURE_ENCODING: (
        "The signature is right and written in hex where base64 is meant, or the other way round.",
        "Set `encoding` of the scheme to what the provider sends.",
    ),
    Cause.SIGNATURE_PREFIX: (
        "The signature is right; a prefix such as `sha256=` or `v1=` is missing, is another, or is too much.",
        "Set `prefix` of the scheme; see whether a proxy rewrites the header.",
    ),
    Cause.CLOCK_SKEW: (
        "The signature is right and its time lies outside the tolerance; how far, where the header says it "
        "in seconds.",
        "Seconds to minutes: set the clocks, here and at the sender. Hours: something held the request "
        "back, or somebody sends an old one again.",
    ),
    Cause.OTHER_URL: (
        "The sender signed another form of this endpoint's address: http for https, another host or port, "
        "with or without a slash or a query.",
        "Set `public_url` to the address that the provider was given, or name the proxies in "
        "`trusted_proxies`.",
    ),
    Cause.BODY_RESERIALISED: (
        "The body was parsed and written again: other spaces, order of keys, or escapes.",
        "Give the receiver the raw bytes; no middleware or proxy may read the JSON before it.",
    ),
    Cause.BODY_CHARSET: (
        "The body was put into another character set, such as Latin-1 for UTF-8.",
        "Give the receiver bytes, not text; switch the recoding off where it happens.",
    ),
    Cause.BODY_BOM: (
        "A byte order mark was put in front of the body, or taken away.",
        "Find the program that writes the body again as text; it must pass the bytes on.",
    ),
    Cause.BODY_LINE_ENDINGS: (
        "Line ends were changed between CRLF and LF.",
        "Find what treats the body as text: a script, a queue, a gateway. Pass the bytes on.",
    ),
    Cause.BODY_TRAILING_NEWLINE: (
        "White space was added at the end or the beginning of the body, or cut off.",
        "Give the receiver the bytes as they came; do not strip.",
    ),
    Cause.BODY_COMPRESSED: (
        "The body arrived compressed, and the signature is over the uncompressed one.",
        "Let the web server uncompress requests before the receiver sees them.",
    ),
    Cause.BODY_DECOMPRESSED: (
        "`Content-Encoding` says that the body is compressed, and it is not: it was probably uncompressed "
        "on the way, and signed before.",
        "Switch that off at the proxy, so that the receiver gets what was signed.",
    ),
    Cause.BODY_TRUNCATED: (
        "Fewer bytes came than `Content-Length` says.",
        "Look at the body limits and timeouts of the proxies; see whether something read the body before.",
    ),
    Cause.UNKNOWN: (
        "None of the known faults explains it.",
        "Compare the secret with the provider's. If it is right, the request is probably not the provider's: "
        "look at its address.",
    ),
}
"""What it means, and what to do."""
