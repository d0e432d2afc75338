"""What a sender is answered, and the record of it: one place, so that neither goes without the other."""

from typing import Any, Callable, Dict, Optional

from hookvitals import answers
from hookvitals.answers import Answer, Refused
from hookvitals.event import Event
from hookvitals.ids import uuid7
from hookvitals.reporter import Reporter, event_names
from hookvitals.request import Request


class Desk:
    """Answers for one receiver. fields: what the record will say besides; given away."""

    def __init__(self, ack_status: int, reporter: Reporter, now_us: Callable[[], int]) -> None:
        self._ack_status = ack_status
        self._reporter = reporter
        self._now_us = now_us

    def taken(self, request: Request, outcome: str, event: Event, fields: Dict[str, Any]) -> Answer:
        """The source's 2xx: work that was accepted, done, or needs no doing."""
        answer = answers.taken(self._ack_status)
        fields.update(event_names(event))
        self._reporter.delivered(request, outcome, answer.status, fields, event)
        return answer

    def refused(
        self, request: Request, refused: Refused, event: Optional[Event], fields: Dict[str, Any]
    ) -> Answer:
        """A problem that names the record. event: known when the refusal says only that it is at work."""
        fields["record_id"] = uuid7(self._now_us())
        answer = answers.refusal(
            refused.reason, fields["record_id"], retry_after_s=refused.retry_after_s, allow=refused.allow
        )
        if refused.reason == "busy" and event is not None:
            fields.update(event_names(event))
            fields.pop("replay_id", None)  # a copy at work settles nothing
            self._reporter.delivered(request, "duplicate", answer.status, fields)
            return answer
        fields["reason"] = refused.reason
        if refused.detail:
            fields["error_message"] = refused.detail
        self._reporter.delivered(request, "rejected", answer.status, fields)
        return answer

    def failed(
        self, request: Request, error: Exception, event: Optional[Event], fields: Dict[str, Any]
    ) -> Answer:
        """A 500: the sender will come again. Without an event there is nothing to record."""
        fields["record_id"] = uuid7(self._now_us())
        answer = answers.refusal("failed", fields["record_id"])
        if event is not None:
            fields.update(event_names(event))
            fields.update(self._reporter.error(error))
            self._reporter.delivered(request, "failed", answer.status, fields, event)
        return answer
