"""What a receiver tells the monitor: a record per delivery and per attempt, a capture where wanted.

An inline delivery is both at once. Never changes an answer, and does nothing where no collector is set.
"""

from typing import Any, Dict, Optional

from hookvitals.capture import capture, wanted
from hookvitals.event import Event
from hookvitals.recorder import Recorder, error_fields
from hookvitals.request import Request
from hookvitals.settings import Settings


class Reporter:
    """Makes the records of one receiver. recorder: None where nothing is to be recorded."""

    def __init__(self, settings: Settings, recorder: Optional[Recorder]) -> None:
        self._settings = settings
        self._recorder = recorder

    def delivered(
        self,
        request: Request,
        outcome: str,
        status: int,
        fields: Dict[str, Any],
        event: Optional[Event] = None,
    ) -> None:
        """Notes what the sender was answered, just before it leaves. fields: given away."""
        if self._recorder is None:
            return
        fields.update(request.context())
        fields["http_status"] = status
        fields["ack_ms"] = fields["latency_ms"] = request.elapsed_ms()
        self._note(self._recorder, outcome, request.at_us, fields, event)

    def attempted(self, outcome: str, event: Event, fields: Dict[str, Any]) -> None:
        """Notes an attempt whose delivery was answered before. fields: given away."""
        if self._recorder is None:
            return
        fields.update(event_names(event))
        self._note(self._recorder, outcome, event.received_at_us, fields, event)

    def error(self, error: BaseException) -> Dict[str, Any]:
        """error_class, error_message and error_stack, without this receiver's secrets."""
        return error_fields(error, self._settings.hidden)

    def _note(
        self,
        recorder: Recorder,
        outcome: str,
        received_at_us: int,
        fields: Dict[str, Any],
        event: Optional[Event],
    ) -> None:
        policy = self._settings.capture_policy
        if event is not None and wanted(policy, outcome):
            fields["capture"] = capture(policy, dict(event.headers), event.body)
        if self._settings.labels:
            fields["labels"] = self._settings.labels
        recorder.record(outcome, received_at_us, fields)


def event_names(event: Event) -> Dict[str, Any]:
    """The record's fields that say which event it was."""
    names: Dict[str, Any] = {"event_id": event.id, "event_type": event.type, **event.fields}
    if event.replay_id is not None:
        names["replay_id"] = event.replay_id
    return names
