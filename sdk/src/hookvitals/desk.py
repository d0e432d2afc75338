"""What a sender is answered, and the record of it: one place, so that neither goes without the other."""

import logging
from dataclasses import replace
from typing import Any, Callable, Dict, Mapping, Optional

from hookvitals import answers
from hookvitals.answers import Answer, Refused
from hookvitals.event import Event
from hookvitals.ids import uuid7
from hookvitals.reporter import Reporter, event_names
from hookvitals.request import Request
from hookvitals.shared import Note

log = logging.getLogger("hookvitals")

CANARY_TYPE, CHALLENGE_TYPE, EMPTY_TYPE = "canary", "challenge", "empty"
"""Event types of our own, of what is no event of the source's."""

_NOT_TRIED = {"busy": "duplicate", "circuit_open": "failed", "unavailable": "failed"}
"""Refusals of an event that may come again, and its outcome meanwhile."""


class Desk:
    """Answers for one receiver. fields: what the record will say besides; given away.

    statuses: what each outcome and refusal is answered. ack_body: what stands in a 2xx.
    """

    def __init__(
        self, statuses: Mapping[str, int], reporter: Reporter, now_us: Callable[[], int], ack_body: str = ""
    ) -> None:
        self._statuses = statuses
        self._ack_body = ack_body
        self._reporter = reporter
        self._now_us = now_us

    def taken(self, request: Request, outcome: str, event: Event, fields: Dict[str, Any]) -> Answer:
        """The source's 2xx: work that was accepted, done, or needs no doing."""
        answer = answers.taken(self._statuses[outcome], self._ack_body)
        fields.update(event_names(event))
        self._note(request, outcome, answer, fields, event)
        return answer

    def canary(self, request: Request, canary_id: str, fields: Dict[str, Any]) -> Answer:
        """The source's 2xx to a canary of the monitor: nothing was to be done."""
        answer = answers.taken(self._statuses["succeeded"], self._ack_body)
        fields.update(event_id=canary_id, event_type=CANARY_TYPE, canary=True)
        self._note(request, "succeeded", answer, fields)
        return answer

    def asked(self, request: Request, answer: Answer, fields: Dict[str, Any]) -> Answer:
        """The answer to a provider's question about the endpoint: no event of anybody's."""
        return self._no_event(request, CHALLENGE_TYPE, answer, fields)

    def empty(self, request: Request, fields: Dict[str, Any]) -> Answer:
        """The source's 2xx to a list of no events: on record, for the source counts it as a delivery."""
        return self._no_event(
            request, EMPTY_TYPE, answers.taken(self._statuses["unhandled"], self._ack_body), fields
        )

    def _no_event(self, request: Request, kind: str, answer: Answer, fields: Dict[str, Any]) -> Answer:
        fields.update(event_id=f"{kind}-{uuid7(self._now_us())}", event_type=kind)
        self._note(request, "unhandled", answer, fields)
        return answer

    def settled(self, request: Request, fields: Dict[str, Any]) -> Answer:
        """The one answer to a request of several events, and the record of the event that decided it.

        fields: of the request itself. Raises LookupError when nothing was told of any event.
        """
        note = None if request.shared is None else request.shared.worst
        if note is None:
            raise LookupError("no event of this request was told of")
        whole = replace(request, shared=None)
        self._note(whole, note.outcome, note.answer, {**fields, **note.fields}, note.event)
        return note.answer

    def refused(
        self, request: Request, refused: Refused, event: Optional[Event], fields: Dict[str, Any]
    ) -> Answer:
        """A problem that names the record. event: known when the refusal says only that it is at work."""
        fields["record_id"] = uuid7(self._now_us())
        answer = answers.refusal(
            refused.reason,
            self._statuses.get(refused.reason, 400),
            fields["record_id"],
            retry_after_s=refused.retry_after_s,
            allow=refused.allow,
        )
        if refused.reason in _NOT_TRIED and event is not None:
            fields.update(event_names(event))
            fields.pop("replay_id", None)  # what was not tried settles nothing
            if refused.__cause__ is not None:
                fields.update(self._reporter.error(refused.__cause__))
            self._note(request, _NOT_TRIED[refused.reason], answer, fields, event)
            return answer
        fields["reason"] = refused.reason
        if refused.detail:
            fields["error_message"] = refused.detail
        self._note(request, "rejected", answer, fields)
        return answer

    def failed(
        self,
        request: Request,
        error: BaseException,
        event: Optional[Event],
        fields: Dict[str, Any],
        outcome: str = "failed",
    ) -> Answer:
        """A refusal: the sender will come again, unless `dead_lettered` is a 2xx. Without event no record."""
        fields["record_id"] = uuid7(self._now_us())
        status = self._statuses[outcome]
        answer = (
            answers.taken(status, self._ack_body)
            if status < 300
            else answers.refusal(outcome, status, fields["record_id"])
        )
        if event is not None:
            fields.update(event_names(event))
            fields.update(self._reporter.error(error))
            self._note(request, outcome, answer, fields, event)
        return answer

    def _note(
        self,
        request: Request,
        outcome: str,
        answer: Answer,
        fields: Dict[str, Any],
        event: Optional[Event] = None,
    ) -> None:
        try:
            if request.shared is None:
                self._reporter.delivered(request, outcome, answer.status, fields, event)
                return
            fields["latency_ms"] = request.elapsed_ms()
            passed = request.shared.passed(Note(outcome, answer, fields, event))
            if passed is not None:
                self._reporter.delivered(request, passed.outcome, None, passed.fields, passed.event)
        except Exception:  # the answer stands, whatever becomes of its record
            log.exception("hookvitals: what became of a request could not be recorded")
