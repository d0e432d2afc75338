"""Which handler an event goes to: the exact type first, then the longest pattern that matches."""

import inspect
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Callable, Dict, List, Optional

from hookvitals.batches import Batch
from hookvitals.event import Event
from hookvitals.validate import Schema, Validator, validator_of

Handler = Callable[[Event], Any]


@dataclass(frozen=True)
class Route:
    """Where events of some type go, and the form their payload must have. batch: where they go together."""

    handler: Handler
    validator: Optional[Validator] = None
    batch: Optional[Batch] = None


class Dispatcher:
    """Handlers by event type; `*` in a type matches any run of characters."""

    def __init__(self) -> None:
        self._exact: Dict[str, Route] = {}
        self._patterns: Dict[str, Route] = {}

    def add(self, pattern: str, handler: Handler, schema: Optional[Schema] = None) -> None:
        """Registers a handler. schema: see `validate`.

        Raises ValueError when the pattern is taken, the handler is async, or the schema is none.
        """
        self._add(pattern, handler, Route(handler, None if schema is None else validator_of(schema)))

    def add_batch(self, pattern: str, batch: Batch, schema: Optional[Schema] = None) -> None:
        """Registers a handler of many events at once. Raises as `add` does."""
        validator = None if schema is None else validator_of(schema)
        self._add(pattern, batch.handler, Route(batch.alone, validator, batch))

    def _add(self, pattern: str, handler: Callable[..., Any], route: Route) -> None:
        if any(_only_begins(one) for one in (handler, getattr(handler, "__call__", None))):  # noqa: B004
            raise ValueError(
                f"the handler of {pattern!r} is async, or a generator, and nobody would await it; give a "
                "function, or hookvitals.integrations.asgi.on_this_loop(handler)"
            )
        table = self._patterns if "*" in pattern else self._exact
        if pattern in table:
            raise ValueError(f"{pattern!r} has a handler already")
        table[pattern] = route

    def types(self) -> List[str]:
        """What handlers were registered for: types and patterns, sorted."""
        return sorted([*self._exact, *self._patterns])

    def route_of(self, event_type: str) -> Optional[Route]:
        """Where a type goes; None when nothing was registered for it."""
        route = self._exact.get(event_type)
        if route is not None or not self._patterns:
            return route
        matching = [pattern for pattern in self._patterns if fnmatchcase(event_type, pattern)]
        return self._patterns[max(matching, key=len)] if matching else None


def _only_begins(function: Any) -> bool:
    """Whether calling it runs nothing of it."""
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    )
