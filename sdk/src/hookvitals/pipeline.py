"""The pipeline a webhook goes through: method, size, address, signature, rate, body, duplicate, order,
answer, work, record. A request in, an answer out; never raises.

Without an inbox the answer leaves after the handler; with one the event is on disk before the answer. An
event that was answered 2xx is never lost by a crash. Recording never changes an answer.
"""

import logging
from typing import Any, Dict, Optional

from hookvitals.admission import Admission
from hookvitals.answers import BUSY_RETRY_S, Answer, Refused
from hookvitals.desk import Desk
from hookvitals.dispatch import Dispatcher, Route
from hookvitals.event import Event
from hookvitals.inbox import Inbox, Put
from hookvitals.inline import Inline
from hookvitals.ordering import Order, order_of
from hookvitals.parse import check_age, json_of, parsed
from hookvitals.request import Request
from hookvitals.settings import SEPARATOR, Settings
from hookvitals.state import StateUnavailable
from hookvitals.validate import InvalidPayload, Validator
from hookvitals.worker import InboxWorker

log = logging.getLogger("hookvitals")


class Pipeline:
    """Answers the requests of one receiver. inbox, worker: both, or neither to work before the answer.

    `fields`, throughout: what the record will say.
    """

    def __init__(
        self,
        settings: Settings,
        admission: Admission,
        desk: Desk,
        dispatcher: Dispatcher,
        inline: Inline,
        inbox: Optional[Inbox],
        worker: Optional[InboxWorker],
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._desk = desk
        self._dispatcher = dispatcher
        self._inline = inline
        self._inbox = inbox
        self._worker = worker

    def answered(self, request: Request) -> Answer:
        """What the sender is told."""
        fields: Dict[str, Any] = {}
        event: Optional[Event] = None
        try:
            admitted = self._admission.admit(request, fields)
            if admitted.canary_id is not None:
                return self._desk.canary(request, admitted.canary_id, fields)
            data = json_of(request)
            challenged = self._challenged(data, fields)
            if challenged is not None:
                return self._desk.asked(request, challenged, fields)
            event = parsed(request, data, self._settings, admitted.replay_id)
            if admitted.replay_id is None:
                check_age(event, self._settings.profile, request.at_us)
            return self._take(request, event, fields)
        except Exception as exc:
            return self._turned_down(request, exc, event, fields)

    def _turned_down(
        self, request: Request, error: Exception, event: Optional[Event], fields: Dict[str, Any]
    ) -> Answer:
        if isinstance(error, Refused):
            return self._desk.refused(request, error, event, fields)
        if isinstance(error, StateUnavailable):  # handled or not, nobody can say: the sender comes again
            log.warning("hookvitals: the state of events cannot be asked: %s", error)
            away = Refused("unavailable", retry_after_s=BUSY_RETRY_S)
            away.__cause__ = error
            return self._desk.refused(request, away, event, fields)
        # our own fault: the sender may try again, the event is not lost
        log.error("hookvitals: a request could not be handled", exc_info=error)
        return self._desk.failed(request, error, event, fields)

    def _challenged(self, data: Any, fields: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """The answer, where the source asks about the endpoint itself."""
        challenge = self._settings.profile.challenge
        if challenge is None:
            return None
        return challenge(data, self._settings.secret_of(fields.get("secret_id")))

    def _take(self, request: Request, event: Event, fields: Dict[str, Any]) -> Answer:
        route = self._dispatcher.route_of(event.type)
        if route is None:
            return self._desk.taken(request, "unhandled", event, fields)
        if route.validator is not None:
            _check(route.validator, event)
        key = f"{self._settings.scope}{SEPARATOR}{event.id}"
        order = order_of(
            self._settings.scope,
            event.fields.get("resource"),
            event.fields.get("version"),
            self._settings.profile.equal_versions,
        )
        if self._inbox is not None:
            return self._enqueue(self._inbox, request, event, key, order, route, fields)
        return self._inline.take(request, event, key, order, route.handler, fields)

    def _enqueue(
        self,
        inbox: Inbox,
        request: Request,
        event: Event,
        key: str,
        order: Optional[Order],
        route: Route,
        fields: Dict[str, Any],
    ) -> Answer:
        guard = None if event.replay_id else order  # an operator decided that a replay should run
        keep_us = int(self._settings.profile.memory_s() * 1e6)
        together = None if route.batch is None else route.batch.together
        put = inbox.put(key, event, keep_us=keep_us, order=guard, together=together)
        if put is Put.STALE:
            return self._desk.taken(request, "stale", event, fields)
        if put is Put.WAITING and event.replay_id is not None:
            raise Refused("busy", retry_after_s=BUSY_RETRY_S)  # it will run; a 2xx would settle the replay
        if put in (Put.WAITING, Put.DONE):
            return self._desk.taken(request, "duplicate", event, fields)
        answer = self._desk.taken(request, "accepted", event, fields)
        if self._worker is not None:
            self._worker.wake()
        return answer


def _check(validator: Validator, event: Event) -> None:
    try:
        validator(event.data)
    except InvalidPayload as exc:
        raise Refused("invalid_payload", f"{event.type}: {exc}") from exc
