"""What expunging an event asks of a store and answers, and which texts of a record it blanks. Values only."""

from dataclasses import dataclass

from monitor.store.facts.detail import decode, encode


@dataclass(frozen=True, slots=True)
class Expunge:
    """Which event. environment, endpoint: None is any. details: its records' personal texts go too."""

    source: str
    event_id: str
    environment: str | None = None
    endpoint: str | None = None
    details: bool = False


@dataclass(frozen=True, slots=True)
class Expunged:
    """How many captures were removed and records changed. is_settled: no file of the store holds them on."""

    captures: int
    records: int
    is_settled: bool


def blanked(packed: bytes, details: bool) -> bytes | None:
    """The packed detail without its capture's mark and, when asked, without personal texts; None: unchanged.

    Error message and stack, labels, address and user agent go. Nothing that any count was made of does.
    """
    detail = decode(packed)
    detail.has_capture = False
    if details:
        detail.error_message = detail.error_stack = detail.remote_ip = detail.user_agent = None
        detail.labels = None
    changed = encode(detail)
    return None if changed == encode(decode(packed)) else changed
