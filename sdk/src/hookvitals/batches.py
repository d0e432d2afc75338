"""Handing over many events at once, and finding the ones that spoil it: a batch that fails is halved until
each event at fault stands alone, so that its neighbours are done. Pure but for the handler it calls.
"""

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from hookvitals.event import Event
from hookvitals.inbox import Together

BatchHandler = Callable[[List[Event]], Any]
Errors = Dict[str, Optional[Exception]]
"""By event id; None for an event that is done."""


class BatchFailed(Exception):
    """Raise or return it from a batch's handler: these events failed, all others of the batch are done.

    errors: by event id; an exception, or a text.
    """

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__(f"{len(errors)} events of a batch failed")
        self.errors = {
            str(event_id): error if isinstance(error, Exception) else RuntimeError(str(error))
            for event_id, error in errors.items()
        }


@dataclass(frozen=True)
class Batch:
    """A handler of many events at once, and when it is called."""

    handler: BatchHandler
    together: Together

    def alone(self, event: Event) -> None:
        """Hands over one event. Raises what was wrong with it."""
        error = errors_of(self.handler, [event])[event.id]
        if error is not None:
            raise error


def errors_of(
    handler: BatchHandler,
    events: Sequence[Event],
    whole: Callable[[Exception], bool] = lambda error: False,
) -> Errors:
    """What became of each event.

    whole: whether an error is nobody's fault among the events, so that halving would find none. An event may
    be handed over several times: with its batch, and again with its halves.
    """
    try:
        answer = handler(list(events))
        failed = answer if isinstance(answer, BatchFailed) else BatchFailed({})
    except BatchFailed as exc:
        failed = exc
    except Exception as exc:
        return _halved(handler, events, exc, whole)
    ids = {event.id for event in events}
    if not set(failed.errors) <= ids:  # it speaks of others: nobody knows which of these are done
        return _halved(handler, events, failed, whole)
    return {event.id: failed.errors.get(event.id) for event in events}


def _halved(
    handler: BatchHandler, events: Sequence[Event], error: Exception, whole: Callable[[Exception], bool]
) -> Errors:
    if len(events) == 1 or whole(error):
        return {event.id: error for event in events}
    middle = len(events) // 2
    return {
        **errors_of(handler, events[:middle], whole),
        **errors_of(handler, events[middle:], whole),
    }
