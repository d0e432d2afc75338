"""What a task queue carries about an event from the receiver to the worker, and the record that comes of it.

Never raises into a task: what cannot be recorded is logged.
"""

import logging
from typing import Any, Dict, Optional

from hookvitals.event import Event
from hookvitals.recorder import Recorder, error_fields
from hookvitals.reporter import event_names
from hookvitals.settings import Settings

log = logging.getLogger("hookvitals")

CARRIED = "hookvitals"
"""The name under which it travels."""
_NAMES = (
    "event_id", "event_type", "source", "endpoint", "environment", "replay_id", "resource", "version",
    "event_created_at",
)  # fmt: skip
_OF_A_QUEUE = ("environment", "source", "endpoint")


def carried(event: Event, settings: Optional[Settings] = None) -> Dict[str, Any]:
    """What names the event, as JSON. settings: its receiver's; else the worker's recorder tells."""
    known = {"received_at_us": event.received_at_us, **event_names(event)}
    if settings is not None:
        known.update(source=settings.source, endpoint=settings.endpoint, environment=settings.environment)
    return known


def record(
    recorder: Recorder,
    outcome: str,
    known: Any,
    attempt: int,
    process_ms: Optional[float] = None,
    error: Optional[BaseException] = None,
) -> None:
    """Notes one attempt. known: what was carried; a task that carries nothing of ours is none of ours."""
    if not isinstance(known, dict) or not isinstance(known.get("received_at_us"), int):
        return
    try:
        received_at_us: int = known["received_at_us"]
        fields: Dict[str, Any] = {name: known[name] for name in _NAMES if known.get(name) is not None}
        fields["attempt"] = attempt
        latency_ms = recorder.now_ns() / 1e6 - received_at_us / 1e3
        fields["latency_ms"] = max(0.0, latency_ms, process_ms or 0.0)
        if process_ms is not None:
            fields["process_ms"] = process_ms
        if error is not None:
            fields.update(error_fields(error))
        recorder.record(outcome, received_at_us, fields)
    except Exception:
        log.exception("hookvitals: what became of a task could not be recorded")


def sample(recorder: Recorder, queue: str, depth: int, oldest_us: Optional[int]) -> Dict[str, Any]:
    """A queue's sample, as the collector takes it. oldest_us: since when its oldest event waits."""
    now_us = recorder.now_ns() // 1000
    taken = {
        **{name: recorder.base[name] for name in _OF_A_QUEUE if name in recorder.base},
        "queue": queue,
        "depth": depth,
        "sampled_at": now_us,
    }
    if depth == 0 or oldest_us is not None:
        taken["oldest_age_s"] = 0.0 if oldest_us is None else max(0.0, (now_us - oldest_us) / 1e6)
    return taken
