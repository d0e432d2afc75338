"""One attempt at an event of the inbox, and what follows from it: done, tried again, given up, or too old.

The inbox moves on before the record is noted, so that a record never claims what a crash undid.
"""

import time
from typing import Any, Callable, Dict, Optional

from hookvitals.breaker import Breaker, went
from hookvitals.dispatch import Dispatcher, Handler
from hookvitals.event import Event
from hookvitals.failures import Kind
from hookvitals.inbox import Inbox, Work
from hookvitals.log import handling
from hookvitals.ordering import order_of
from hookvitals.reporter import Reporter
from hookvitals.settings import Settings
from hookvitals.state import State

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
        self._now_us = now_us
        self._born_us = now_us()

    def attempt(self, work: Work) -> Callable[[], None]:
        """Runs the event's handler once; what settles the event in the inbox and notes it."""
        event = work.event
        handler = self._dispatcher.handler_of(event.type)
        if handler is None and self._now_us() < self._born_us + HANDLER_PATIENCE_S * 1e6:
            # handlers may still be registering: no attempt was made
            return lambda: self._inbox.defer(work, _LOOK_AGAIN_S)
        fields: Dict[str, Any] = {"attempt": event.attempt, "queue_ms": self._since_ms(event)}
        order = order_of(
            self._settings.scope,
            event.fields.get("resource"),
            event.fields.get("version"),
            self._settings.profile.equal_versions,
        )
        verdict = order.verdict(self._state.version(order.key)) if order and event.replay_id is None else None
        if verdict is not None:
            return self._settling(
                verdict, event, fields, lambda: self._inbox.finish(work, self._keep_until_us())
            )
        permit = self._breaker.ask()
        if permit.wait_s > 0:
            return lambda: self._inbox.put_back(work)
        error = self._tried(handler, event, fields)
        not_run = isinstance(error, (NoHandler, ProcessDied))
        self._breaker.tell(permit, None if not_run else went(error, self._settings.retry.kind_of))
        if error is None:
            return self._settling(
                "succeeded", event, fields, lambda: self._inbox.finish(work, self._keep_until_us(), order)
            )
        fields.update(self._reporter.error(error))
        retry = self._settings.retry
        if handler is None or retry.exhausted(event.attempt) or retry.kind_of(error) is Kind.PERMANENT:
            return self._settling("dead_lettered", event, fields, lambda: self._inbox.give_up(work))
        wait_s = retry.wait_s(event.attempt)
        return self._settling("failed", event, fields, lambda: self._inbox.postpone(work, wait_s))

    def _tried(self, handler: Optional[Handler], event: Event, fields: Dict[str, Any]) -> Optional[Exception]:
        """What went wrong, if anything."""
        if handler is None:
            return NoHandler(f"no handler for {event.type}")
        made = self._settings.retry.attempts
        if event.attempt > made:
            return ProcessDied(f"the process ended during each of {made} attempts")
        with handling(self._settings.source, self._settings.endpoint, event):
            return run(handler, event, fields)

    def _settling(
        self, outcome: str, event: Event, fields: Dict[str, Any], store: Callable[[], None]
    ) -> Callable[[], None]:
        fields["latency_ms"] = max(fields.get("process_ms", 0.0), self._since_ms(event))

        def settle() -> None:
            store()
            self._reporter.attempted(outcome, event, fields)

        return settle

    def _since_ms(self, event: Event) -> float:
        return max(0.0, (self._now_us() - event.received_at_us) / 1000)

    def _keep_until_us(self) -> int:
        return self._now_us() + int(self._settings.profile.memory_s() * 1e6)


def run(handler: Handler, event: Event, fields: Dict[str, Any]) -> Optional[Exception]:
    """What the handler raised, if anything; its time goes into process_ms."""
    started_ns = time.perf_counter_ns()
    try:
        handler(event)
    except Exception as exc:
        return exc
    finally:
        fields["process_ms"] = (time.perf_counter_ns() - started_ns) / 1e6
    return None
