"""Work first, answer then: what a receiver without an inbox does with an event it has verified.

One of all copies runs, and one event of a resource at a time. The answer says how it went.
"""

import logging
import math
import threading
from dataclasses import replace
from typing import Any, Callable, Dict, NamedTuple, Optional

from hookvitals.accepted import ACCEPTED
from hookvitals.answers import BUSY_RETRY_S, Answer, Refused
from hookvitals.attempts import run
from hookvitals.breaker import Breaker, CircuitOpen, went
from hookvitals.desk import Desk
from hookvitals.dispatch import Handler
from hookvitals.event import Event
from hookvitals.failures import Kind
from hookvitals.log import handling
from hookvitals.ordering import Order
from hookvitals.request import Request
from hookvitals.settings import Settings
from hookvitals.state import Claim, State
from hookvitals.turns import Turns

log = logging.getLogger("hookvitals")


_OF_AN_ATTEMPT = ("attempt", "queue_ms", "process_ms")


class _Held(NamedTuple):
    """An event that was claimed. until_us: the end of its lease, by which the claim knows who has it."""

    key: str
    until_us: int


class Inline:
    """Works the events of one receiver while their senders wait."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        breaker: Breaker,
        desk: Desk,
        now_us: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._state = state
        self._breaker = breaker
        self._desk = desk
        self._now_us = now_us
        self._turns = Turns(state, settings.lease_s, now_us)

    def take(
        self,
        request: Request,
        event: Event,
        key: str,
        order: Optional[Order],
        handler: Handler,
        fields: Dict[str, Any],
    ) -> Answer:
        """The answer. key: of the event, in the state. Raises Refused or StateUnavailable."""
        if order is None:
            return self._claim(request, event, key, None, handler, fields)
        turn = self._turns.take(order.key)
        if turn is None:
            raise Refused("out_of_turn", retry_after_s=BUSY_RETRY_S)
        try:
            return self._claim(request, event, key, order, handler, fields)
        finally:
            self._give_back(order, turn)

    def _claim(
        self,
        request: Request,
        event: Event,
        key: str,
        order: Optional[Order],
        handler: Handler,
        fields: Dict[str, Any],
    ) -> Answer:
        now_us, lease_us = self._now_us(), int(self._settings.lease_s * 1e6)
        if event.replay_id is not None:
            self._state.reopen(key, now_us)
        claim = self._state.claim(key, now_us, lease_us)
        if claim is Claim.DONE:
            return self._desk.taken(request, "duplicate", event, fields)
        if claim is Claim.BUSY:
            raise Refused("busy", retry_after_s=BUSY_RETRY_S)
        if order and event.replay_id is None:
            verdict = order.verdict(self._state.version(order.key))
            if verdict is not None:
                self._state.done(key, self._keep_until_us())
                return self._desk.taken(request, verdict, event, fields)
        return self._process(request, event, _Held(key, now_us + lease_us), order, handler, fields)

    def _process(
        self,
        request: Request,
        event: Event,
        held: _Held,
        order: Optional[Order],
        handler: Handler,
        fields: Dict[str, Any],
    ) -> Answer:
        event = replace(event, attempt=self._state.attempts(held.key))
        fields["attempt"] = event.attempt
        permit = self._breaker.ask()
        if permit.wait_s > 0:
            self._state.release(held.key, held.until_us, self._now_us())
            cause = CircuitOpen(f"tried again in {permit.wait_s:.0f} s at the latest")
            raise Refused("circuit_open", retry_after_s=math.ceil(permit.wait_s)) from cause
        fields["queue_ms"] = request.elapsed_ms()
        with handling(self._settings.source, self._settings.endpoint, event):
            given = run(handler, event, fields)
        error = given if isinstance(given, BaseException) else None
        self._breaker.tell(permit, went(error, self._settings.retry.kind_of))
        try:  # the work is done, or not, whatever becomes of our notes: the lease covers for them
            if error is not None:
                self._state.release(held.key, held.until_us, self._now_us())
            else:
                self._state.done(held.key, self._keep_until_us(), handed_over=given is ACCEPTED)
                if order is not None:
                    self._state.advance(order.key, order.rank, self._now_us())
        except Exception:
            log.exception("hookvitals: event %s was worked, and that could not be stored", event.id)
        if error is not None:
            permanent = self._settings.retry.kind_of(error) is Kind.PERMANENT
            outcome = "dead_lettered" if permanent else "failed"
            answer = self._desk.failed(request, error, event, fields, outcome)
            if _ends_the_process(error):
                raise error
            return answer
        if given is ACCEPTED:
            for name in _OF_AN_ATTEMPT:  # whoever works it tells of those
                fields.pop(name, None)
            return self._desk.taken(request, "accepted", event, fields)
        return self._desk.taken(request, "succeeded", event, fields)

    def _give_back(self, order: Order, turn: bytes) -> None:
        try:
            self._turns.give_back(order.key, turn)
        except Exception:  # its lease ends by itself
            log.exception("hookvitals: a turn could not be given back")

    def _keep_until_us(self) -> int:
        return self._now_us() + int(self._settings.profile.memory_s() * 1e6)


def _ends_the_process(error: BaseException) -> bool:
    """As a server does whose request took too long. In another thread it would end that thread at most, and
    the sender would have no answer."""
    told = isinstance(error, (KeyboardInterrupt, SystemExit))
    return told and threading.current_thread() is threading.main_thread()
