"""Handing over many events at once, and finding the ones that spoil it: a batch that fails is halved until
each event at fault stands alone, so that its neighbours are done. Pure but for the handler it calls.
"""

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from hookvitals.accepted import Accepted, Given, finished
from hookvitals.event import Event
from hookvitals.inbox import Together

BatchHandler = Callable[[List[Event]], Any]
Results = Dict[str, Given]
"""By event id."""


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

    def alone(self, event: Event) -> Optional[Accepted]:
        """Hands over one event. Raises what was wrong with it."""
        given = results_of(self.handler, [event])[event.id]
        if isinstance(given, BaseException):
            raise given
        return given


def results_of(
    handler: BatchHandler,
    events: Sequence[Event],
    whole: Callable[[BaseException], bool] = lambda error: False,
) -> Results:
    """What became of each event.

    whole: whether an error is nobody's fault among the events, so that halving would find none. An event may
    be handed over several times: with its batch, and again with its halves.
    """
    try:
        answer = handler(list(events))
        good = finished(answer)
    except BatchFailed as exc:
        answer, good = exc, None
    except BaseException as exc:
        return _halved(handler, events, exc, whole)
    failed = answer.errors if isinstance(answer, BatchFailed) else {}
    if not set(failed) <= {event.id for event in events}:  # it speaks of others: nobody knows what is done
        return _halved(handler, events, answer, whole)
    return {event.id: failed.get(event.id, good) for event in events}


def _halved(
    handler: BatchHandler,
    events: Sequence[Event],
    error: BaseException,
    whole: Callable[[BaseException], bool],
) -> Results:
    if len(events) == 1 or whole(error):
        return {event.id: error for event in events}
    middle = len(events) // 2
    return {
        **results_of(handler, events[:middle], whole),
        **results_of(handler, events[middle:], whole),
    }
