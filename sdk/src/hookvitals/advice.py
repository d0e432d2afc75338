"""What to do about each refusal: for people, beside its status; it decides nothing."""

from typing import Mapping

ADVICE: Mapping[str, str] = {
    "method_not_allowed": "A browser, a health check or a scanner. Webhooks come with POST.",
    "too_large": "Raise `max_body_bytes` if the provider sends bodies of that size.",
    "ip_not_allowed": "If the provider has new addresses, put them into `allow_from`; behind a proxy, "
    "name it in `trusted_proxies`.",
    "missing_signature": "Not from the provider, or a proxy drops the header, or another scheme is meant.",
    "malformed_signature": "The header is there and cannot be read: see whether a proxy changes it, and "
    "whether the scheme is right.",
    "bad_signature": "Look at the record's cause, below.",
    "unknown_key": "No signature of the kind of our keys is there: the provider may have changed its key.",
    "timestamp_too_old": "The signature is right. Look at the clocks; hours mean that something held it "
    "back, or that somebody sends an old request again.",
    "timestamp_in_future": "The signature is right. Look at the clocks.",
    "rate_limited": "The sender comes again after `Retry-After`. Raise `rate_per_minute` if this is its "
    "usual rate; an address that keeps failing is told the same.",
    "malformed_body": "The signature is right and the body is no JSON: ask the provider.",
    "invalid_payload": "The signature is right, and the id or the type is not where the profile looks (set "
    "`id_path` and `type_path`), or the payload has not the form that `schema` asks for.",
    "busy": "A copy of the event is being processed; the sender comes again.",
    "unavailable": "Redis or the database that keeps the claims is away, or the state's file is full or "
    "locked: see the log. Nothing was lost; the sender comes again.",
    "out_of_turn": "Another event of the same resource is being processed; the sender comes again.",
    "circuit_open": "The handler failed so often that it is left alone for a while; the sender comes again.",
    "failed": "The handler raised: look at the record's error.",
    "dead_lettered": "The handler raised what no further try can mend: correct it, then replay the event.",
}
"""Reason → what to do."""
