"""What a receiver tells the monitor: a record per delivery and per attempt, a capture where wanted.

An inline delivery is both at once. Each outcome has its line in the receiver's own log besides, whether or
not a collector is set. Never changes an answer.
"""

from typing import Any, Dict, Optional

from hookvitals.capture import capture, wanted
from hookvitals.event import Event
from hookvitals.log import OutcomeLog
from hookvitals.recorder import Recorder, error_fields
from hookvitals.request import Request
from hookvitals.settings import Settings


class Reporter:
    """Makes the records of one receiver. recorder: None where nothing is to be recorded."""

    def __init__(self, settings: Settings, recorder: Optional[Recorder]) -> None:
        self._settings = settings
        self._recorder = recorder
        self._log = OutcomeLog(settings.source, settings.endpoint, settings.environment)

    def delivered(
        self,
        request: Request,
        outcome: str,
        status: Optional[int],
        fields: Dict[str, Any],
        event: Optional[Event] = None,
    ) -> None:
        """Notes what the sender was answered, just before it leaves. fields: given away.

        status: None for an event of a request whose answer stands on another event's record.
        """
        fields.update(request.context())
        if status is not None:
            fields["http_status"] = status
            fields["ack_ms"] = request.elapsed_ms()
            fields.setdefault("latency_ms", fields["ack_ms"])
        kept_as = "dead_lettered" if outcome == "failed" and self._may_be_last(fields) else outcome
        self._note(outcome, request.at_us, fields, event, kept_as)

    def attempted(self, outcome: str, event: Event, fields: Dict[str, Any]) -> None:
        """Notes an attempt whose delivery was answered before. fields: given away."""
        fields.update(event_names(event))
        self._note(outcome, event.received_at_us, fields, event, outcome)

    def error(self, error: BaseException) -> Dict[str, Any]:
        """error_class, error_message and error_stack, without this receiver's secrets."""
        return error_fields(error, self._settings.hidden)

    def _note(
        self,
        outcome: str,
        received_at_us: int,
        fields: Dict[str, Any],
        event: Optional[Event],
        kept_as: str,
    ) -> None:
        self._log.tell(outcome, fields, received_at_us)
        if self._recorder is None:
            return
        settings = self._settings
        policy = settings.capture_policy
        if event is not None and wanted(policy, kept_as, event.id, settings.capture_rate):
            fields["capture"] = capture(policy, dict(event.headers), event.body, settings.redact)
        if settings.labels:
            fields["labels"] = settings.labels
        self._recorder.record(outcome, received_at_us, fields)

    def _may_be_last(self, fields: Dict[str, Any]) -> bool:
        """Whether an inline failure may be the end of its event: the sender keeps the only other copy, and
        after as many tries as we would make ourselves, or where it makes but one, it may not come again."""
        settings = self._settings
        return settings.profile.retry_horizon_s <= 0 or settings.retry.exhausted(fields.get("attempt", 1))


def event_names(event: Event) -> Dict[str, Any]:
    """The record's fields that say which event it was."""
    names: Dict[str, Any] = {"event_id": event.id, "event_type": event.type, **event.fields}
    if event.replay_id is not None:
        names["replay_id"] = event.replay_id
    return names
