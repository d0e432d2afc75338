"""A record as JSON: made of what the caller's thread noted, and made smaller where the collector asks."""

import json
import re
from datetime import datetime
from typing import Any, Dict, Optional, Tuple

from hookvitals.ids import uuid7

Noted = Tuple[int, Dict[str, Any], str, int, Optional[Dict[str, Any]], Optional[int]]
"""(time_ns, base fields, outcome, received_at_us, other fields, process_ns): all that the caller's thread
leaves. process_ns: how long the work took, where that was measured; a received_at_us of 0 means its begin."""


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def encoded(noted: Noted) -> bytes:
    """The record as JSON; empty when it cannot be. latency_ms is reckoned where process_ms stands alone."""
    try:
        at_ns, base, outcome, received_at_us, fields, process_ns = noted
        if process_ns is not None:
            received_at_us = received_at_us or (at_ns - process_ns) // 1000
        record: Dict[str, Any] = {"record_id": uuid7(at_ns // 1000), "outcome": outcome}
        record["received_at"] = received_at_us
        record.update(base)
        if fields:
            record.update(fields)
        if process_ns is not None:
            record["process_ms"] = process_ns / 1e6
        if "process_ms" in record and "latency_ms" not in record:
            since_ms = (at_ns // 1000 - received_at_us) / 1e3
            record["latency_ms"] = max(record["process_ms"], since_ms)  # clocks are set back
        text = _dumps(record)
        if "\\u0000" in text or "\\ud" in text:  # as JSON writes them; the latter also halves of an emoji
            text = _dumps(_storable(record))
        return text.encode()
    except Exception:  # whatever an object among the fields does, or somebody who changes them meanwhile
        return b""


def _dumps(record: Dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False, separators=(",", ":"), default=_plain)


def _storable(value: Any) -> Any:
    """The same with what no store can keep, NULs and half surrogate pairs, shown as U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(one) for one in value]
    return value


def text_bytes(fields: Dict[str, Any]) -> int:
    """How much of the memory its captured body and its stack take."""
    capture, stack = fields.get("capture"), fields.get("error_stack")
    body = capture.get("body") if isinstance(capture, dict) else None
    return sum(len(text) for text in (body, stack) if isinstance(text, str))


def leave_texts_out(fields: Dict[str, Any]) -> None:
    """Without body and stack."""
    fields.pop("error_stack", None)
    leave_body_out(fields.get("capture"))


def leave_body_out(capture: Any) -> None:
    """What is left can be seen, and must not be replayed: the body was not empty."""
    if isinstance(capture, dict) and capture.pop("body", None) is not None:
        capture["redacted"] = True


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


def without_body(record: bytes) -> Optional[bytes]:
    """The same record without its captured body; None when it has none."""
    fields = json.loads(record)
    capture = fields.get("capture")
    if not isinstance(capture, dict) or capture.get("body") is None:
        return None
    leave_body_out(capture)
    return json.dumps(fields, separators=(",", ":")).encode()
