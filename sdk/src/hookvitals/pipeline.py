"""The pipeline a webhook goes through: method, size, address, signature, rate, body, duplicate, order,
answer, work, record. A request in, an answer out; never raises.

Without an inbox the answer leaves after the handler; with one the event is on disk before the answer. An
event that was answered 2xx is never lost by a crash. Of several events in one body each goes its own way, and
one answer is given for all: the worst. Recording never changes an answer.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from hookvitals import answers
from hookvitals.admission import Admission
from hookvitals.answers import BUSY_RETRY_S, Answer, Refused
from hookvitals.bodies import Part, parts_of, read
from hookvitals.desk import Desk
from hookvitals.dispatch import Dispatcher, Route
from hookvitals.event import Event
from hookvitals.inbox import Entry, Inbox, Put
from hookvitals.inline import Inline
from hookvitals.ordering import Order, order_of
from hookvitals.parse import check_age, parsed
from hookvitals.request import Request
from hookvitals.settings import SEPARATOR, Settings
from hookvitals.shapes import Shapes
from hookvitals.shared import Shared
from hookvitals.state import StateUnavailable
from hookvitals.subscriptions import Subscriptions
from hookvitals.validate import InvalidPayload, Validator
from hookvitals.worker import InboxWorker

log = logging.getLogger("hookvitals")

_OF_EACH = ("secret_id",)
"""What each event's record says of its request; times that were taken once belong to one record alone."""


@dataclass
class _Case:
    """One event on its way, as far as it has come. fields: what its record will say."""

    request: Request
    part: Part
    replay_id: Optional[str]
    fields: Dict[str, Any]
    event: Optional[Event] = None


class _Ready(NamedTuple):
    """An event that is to be worked. key: its own, in the state."""

    case: _Case
    event: Event
    route: Route
    key: str
    order: Optional[Order]


class Pipeline:
    """Answers the requests of one receiver. inbox, worker: both, or neither to work before the answer."""

    def __init__(
        self,
        settings: Settings,
        admission: Admission,
        desk: Desk,
        dispatcher: Dispatcher,
        inline: Inline,
        inbox: Optional[Inbox],
        worker: Optional[InboxWorker],
        shapes: Shapes,
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._desk = desk
        self._dispatcher = dispatcher
        self._inline = inline
        self._inbox = inbox
        self._worker = worker
        self._shapes = shapes
        self._subscriptions = Subscriptions(settings.confirm_subscriptions)

    def answered(self, request: Request) -> Answer:
        """What the sender is told."""
        profile = self._settings.profile
        fields: Dict[str, Any] = {}
        try:
            greeted = self._greeted(request)
            if greeted is not None:
                return self._desk.asked(request, greeted, fields)
            admitted = self._admission.admit(request, fields)
            if admitted.canary_id is not None:
                return self._desk.canary(request, admitted.canary_id, fields)
            data = read(request.body, profile.body)
            challenged = self._challenged(data, fields)
            if challenged is not None:
                return self._desk.asked(request, challenged, fields)
            parts = parts_of(request.body, data, profile.events_path)
        except Exception as exc:
            return self._turned_down(request, exc, None, fields)
        if len(parts) == 1:
            return self._one(_Case(request, parts[0], admitted.replay_id, fields))
        return self._several(request, parts, admitted.replay_id, fields)

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

    # --- what is no event ---

    def _greeted(self, request: Request) -> Optional[Answer]:
        """The answer, where the source asks unsigned whether somebody is here."""
        handshake = self._settings.profile.handshake
        if handshake is None or request.method == "POST":
            return None
        return handshake(request, self._settings.verify_token)

    def _challenged(self, data: Any, fields: Dict[str, Any]) -> Optional[Answer]:
        """The answer, where the source asks about the endpoint itself."""
        profile = self._settings.profile
        if profile.challenge is None:
            return None
        found = profile.challenge(data, self._settings.secret_of(fields.get("secret_id")))
        if found is None:
            return None
        url = None if profile.subscribe_url is None else profile.subscribe_url(data)
        if url is not None:
            self._subscriptions.offered(url)
        return found if isinstance(found, Answer) else answers.asked(found)

    # --- one event ---

    def _one(self, case: _Case) -> Answer:
        try:
            ready = self._ready(case)
            if isinstance(ready, Answer):
                return ready
            if self._inbox is None:
                return self._worked(ready)
            (put,) = self._put(self._inbox, [ready])
            return self._stored(ready, put)
        except Exception as exc:
            return self._turned_down(case.request, exc, case.event, case.fields)

    def _ready(self, case: _Case) -> Union[_Ready, Answer]:
        """What is to be worked, or the answer to what nobody works."""
        settings = self._settings
        event = case.event = parsed(case.request, case.part, settings, case.replay_id)
        if case.replay_id is None:
            check_age(event, settings.profile, case.request.at_us)
            self._shapes.note(event, case.request.headers)
        route = self._dispatcher.route_of(event.type)
        if route is None:
            return self._desk.taken(case.request, "unhandled", event, case.fields)
        if route.validator is not None:
            _check(route.validator, event)
        order = order_of(
            settings.scope,
            event.fields.get("resource"),
            event.fields.get("version"),
            settings.profile.equal_versions,
        )
        return _Ready(case, event, route, f"{settings.scope}{SEPARATOR}{event.id}", order)

    def _worked(self, ready: _Ready) -> Answer:
        case = ready.case
        return self._inline.take(
            case.request, ready.event, ready.key, ready.order, ready.route.handler, case.fields
        )

    def _put(self, inbox: Inbox, ready: Sequence[_Ready]) -> List[Put]:
        """What became of each; all on disk by then, or none."""
        entries = [
            Entry(
                one.key,
                one.event,
                None if one.event.replay_id else one.order,  # an operator decided that a replay should run
                None if one.route.batch is None else one.route.batch.together,
            )
            for one in ready
        ]
        return inbox.put_all(entries, keep_us=int(self._settings.profile.memory_s() * 1e6))

    def _stored(self, ready: _Ready, put: Put) -> Answer:
        request, event, fields = ready.case.request, ready.event, ready.case.fields
        if put is Put.STALE:
            return self._desk.taken(request, "stale", event, fields)
        if put is Put.BUSY or (put is Put.WAITING and event.replay_id is not None):
            raise Refused("busy", retry_after_s=BUSY_RETRY_S)  # a 2xx would lose it, or settle the replay
        if put in (Put.WAITING, Put.DONE):
            return self._desk.taken(request, "duplicate", event, fields)
        answer = self._desk.taken(request, "accepted", event, fields)
        if self._worker is not None:
            self._worker.wake()
        return answer

    # --- several events in one body ---

    def _several(
        self, request: Request, parts: Sequence[Part], replay_id: Optional[str], fields: Dict[str, Any]
    ) -> Answer:
        """One answer for all of them. fields: of the request."""
        if not parts:
            return self._desk.empty(request, fields)
        each = replace(request, shared=Shared())
        known = {name: fields[name] for name in _OF_EACH if name in fields}
        cases = [_Case(each, part, replay_id, dict(known)) for part in parts]
        if self._inbox is None:
            self._work_all(cases)
        else:
            self._store_all(self._inbox, cases)
        return self._desk.settled(each, fields)

    def _work_all(self, cases: Sequence[_Case]) -> None:
        for case in cases:
            try:
                ready = self._ready(case)
                if isinstance(ready, _Ready):
                    self._worked(ready)
            except (
                StateUnavailable
            ) as exc:  # the rest would wait for it in vain, and comes again with this one
                self._turned_down(case.request, exc, case.event, case.fields)
                return
            except Exception as exc:
                self._turned_down(case.request, exc, case.event, case.fields)

    def _store_all(self, inbox: Inbox, cases: Sequence[_Case]) -> None:
        ready: List[_Ready] = []
        for case in cases:
            try:
                one = self._ready(case)
                if isinstance(one, _Ready):
                    ready.append(one)
            except Exception as exc:
                self._turned_down(case.request, exc, case.event, case.fields)
        if not ready:
            return
        try:
            puts = self._put(inbox, ready)
        except Exception as exc:  # none is stored; all come again with this one
            case = ready[0].case
            self._turned_down(case.request, exc, case.event, case.fields)
            return
        for one, put in zip(ready, puts):
            try:
                self._stored(one, put)
            except Refused as exc:
                self._turned_down(one.case.request, exc, one.event, one.case.fields)


def _check(validator: Validator, event: Event) -> None:
    try:
        validator(event.data)
    except InvalidPayload as exc:
        raise Refused("invalid_payload", f"{event.type}: {exc}") from exc
