"""One attempt at an event of the inbox or a batch of them, and what follows: done, tried again, given up, or
too old.

The inbox moves on before the record is noted, so that a record never claims what a crash undid. A dead letter
is noted first: nothing else is left of it.
"""

import logging
import time
from functools import partial
from typing import Any, Callable, Dict, List, Optional

from hookvitals.accepted import ACCEPTED, Given, finished
from hookvitals.batches import Batch, BatchHandler, results_of
from hookvitals.breaker import Breaker, Permit, went
from hookvitals.dispatch import Dispatcher, Handler
from hookvitals.event import Event
from hookvitals.failures import Kind
from hookvitals.inbox import Inbox, Work
from hookvitals.log import handling
from hookvitals.ordering import Order, order_of
from hookvitals.reporter import Reporter
from hookvitals.settings import Settings
from hookvitals.state import State
from hookvitals.worker import Settle

log = logging.getLogger("hookvitals")

HANDLER_PATIENCE_S = 60.0
"""How long after its start a receiver waits for the handler of an event that an earlier process accepted."""
_LOOK_AGAIN_S = 1.0


class NoHandler(LookupError):
    """An event was accepted when it had a handler, and has none now."""


class ProcessDied(RuntimeError):
    """The process ended in the middle of every attempt at an event."""


class Attempts:
    """Works the inbox of one receiver."""

    def __init__(
        self,
        settings: Settings,
        inbox: Inbox,
        state: State,
        dispatcher: Dispatcher,
        reporter: Reporter,
        breaker: Breaker,
        now_us: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._state = state
        self._dispatcher = dispatcher
        self._reporter = reporter
        self._breaker = breaker
        self._retry = settings.retry
        self._now_us = now_us
        self._born_us = now_us()

    def attempt(self, work: Work) -> Settle:
        """Runs the event's handler once, or that of its batch; what settles the events and notes them."""
        route = self._dispatcher.route_of(work.event.type)
        if route is None and self._now_us() < self._born_us + HANDLER_PATIENCE_S * 1e6:
            # handlers may still be registering: no attempt was made
            return lambda: self._inbox.defer(work, _LOOK_AGAIN_S)
        fields = self._begun(work.event)
        settle = self._too_late(work, fields)
        if settle is not None:
            return settle
        permit = self._breaker.ask()
        if permit.wait_s > 0:
            return lambda: self._inbox.put_back(work)
        if route is not None and route.batch is not None and work.event.attempt <= self._retry.attempts:
            return self._batch(work, route.batch, permit)
        given = self._tried(None if route is None else route.handler, work.event, fields)
        not_run = isinstance(given, (NoHandler, ProcessDied))
        self._breaker.tell(permit, None if not_run else went(_error(given), self._retry.kind_of))
        return self._ended(work, given, fields)

    def _batch(self, first: Work, batch: Batch, permit: Permit) -> Settle:
        """The same for the event and what goes with it."""
        settles: List[Settle] = []
        works, newest = [first], dict(self._rank(first.event))
        alone = first.event.attempt >= self._retry.attempts  # what kills its process dies alone in the end
        for work in [] if alone else self._inbox.take_more(first, batch.together, self._retry.attempts):
            rank = self._rank(work.event)
            if any(newest.get(key, at) > at for key, at in rank.items()):
                settles.append(partial(self._inbox.put_back, work))  # stale, should the newer one go well
                continue
            newest.update(rank)
            settle = self._too_late(work, self._begun(work.event))
            if settle is None:
                works.append(work)
            else:
                settles.append(settle)
        begun = [self._begun(work.event) for work in works]
        events = [work.event for work in works]
        started_ns = time.perf_counter_ns()
        handler = partial(self._handed, batch.handler)
        results = results_of(handler, events, lambda error: self._nobodys_fault(error, events))
        share_ms = (time.perf_counter_ns() - started_ns) / 1e6 / len(works)
        self._breaker.tell(permit, self._went(list(results.values())))
        for work, fields in zip(works, begun):
            fields["process_ms"] = share_ms
            settles.append(self._ended(work, results[work.event.id], fields))
        return _each_once(settles)

    def _handed(self, handler: BatchHandler, events: List[Event]) -> Any:
        """What the handler gives; whatever it logs meanwhile says which events it had."""
        with handling(self._settings.source, self._settings.endpoint, *events):
            return handler(events)

    def _nobodys_fault(self, error: BaseException, events: List[Event]) -> bool:
        """What passes by itself is not looked for among the events, the first time."""
        return self._retry.kind_of(error) is Kind.TRANSIENT and all(event.attempt == 1 for event in events)

    def _went(self, results: List[Given]) -> Optional[bool]:
        """How a batch went, as one: well where any of it did."""
        told = [went(_error(given), self._retry.kind_of) for given in results]
        return True if True in told else False if False in told else None

    def _begun(self, event: Event) -> Dict[str, Any]:
        made = min(event.attempt, self._retry.attempts)  # one beyond the last is a look at what is left
        return {"attempt": made, "queue_ms": self._since_ms(event)}

    def _order(self, event: Event) -> Optional[Order]:
        return order_of(
            self._settings.scope,
            event.fields.get("resource"),
            event.fields.get("version"),
            self._settings.profile.equal_versions,
        )

    def _rank(self, event: Event) -> Dict[str, float]:
        """Its resource's version; empty where the order does not matter."""
        order = None if event.replay_id else self._order(event)
        return {} if order is None else {order.key: order.rank}

    def _too_late(self, work: Work, fields: Dict[str, Any]) -> Optional[Settle]:
        """What settles an event that need not run any more: a newer one was processed."""
        order = None if work.event.replay_id else self._order(work.event)
        verdict = order.verdict(self._state.version(order.key)) if order else None
        if verdict is None:
            return None
        return self._settling(
            verdict, work.event, fields, lambda: self._inbox.finish(work, self._keep_until_us())
        )

    def _tried(self, handler: Optional[Handler], event: Event, fields: Dict[str, Any]) -> Given:
        """What came of the attempt."""
        if handler is None:
            return NoHandler(f"no handler for {event.type}")
        made = self._retry.attempts
        if event.attempt > made:
            return ProcessDied(f"the process ended during each of {made} attempts")
        with handling(self._settings.source, self._settings.endpoint, event):
            return run(handler, event, fields)

    def _ended(self, work: Work, given: Given, fields: Dict[str, Any]) -> Settle:
        """Done, handed over, given up, or tried again later."""
        event, error = work.event, _error(given)
        if error is None:
            store = partial(
                self._inbox.finish,
                work,
                self._keep_until_us(),
                self._order(event),
                handed_over=given is ACCEPTED,
            )
            if given is ACCEPTED:  # as its delivery was recorded; what ends it is told elsewhere
                return store
            return self._settling("succeeded", event, fields, store)
        fields.update(self._reporter.error(error))
        last = self._retry.exhausted(event.attempt) or isinstance(error, NoHandler)
        if last or self._retry.kind_of(error) is Kind.PERMANENT:
            return self._settling("dead_lettered", event, fields, lambda: self._inbox.give_up(work))
        wait_s = self._retry.wait_s(event.attempt)
        return self._settling("failed", event, fields, lambda: self._inbox.postpone(work, wait_s))

    def _settling(
        self, outcome: str, event: Event, fields: Dict[str, Any], store: Callable[[], None]
    ) -> Settle:
        fields["latency_ms"] = max(fields.get("process_ms", 0.0), self._since_ms(event))

        def note() -> None:
            try:
                self._reporter.attempted(outcome, event, fields)
            except Exception:
                log.exception("hookvitals: what became of event %s could not be recorded", event.id)

        return _each_once([note, store] if outcome == "dead_lettered" else [store, note])

    def _since_ms(self, event: Event) -> float:
        return max(0.0, (self._now_us() - event.received_at_us) / 1000)

    def _keep_until_us(self) -> int:
        return self._now_us() + int(self._settings.profile.memory_s() * 1e6)


def run(handler: Handler, event: Event, fields: Dict[str, Any]) -> Given:
    """What came of the handler; its time goes into process_ms.

    Whatever it raises: a script's `sys.exit` or a timeout of gevent's says of the event that it is not done.
    """
    started_ns = time.perf_counter_ns()
    try:
        return finished(handler(event))
    except BaseException as exc:
        return exc
    finally:
        fields["process_ms"] = (time.perf_counter_ns() - started_ns) / 1e6


def _error(given: Given) -> Optional[BaseException]:
    return given if isinstance(given, BaseException) else None


def _each_once(settles: List[Settle]) -> Settle:
    """All of them as one, which goes on where it failed."""

    def settle() -> None:
        while settles:
            settles[0]()
            del settles[0]

    return settle
