"""Which handler an event goes to: the exact type first, then the longest pattern that matches."""

import inspect
from fnmatch import fnmatchcase
from typing import Any, Callable, Dict, Optional

from hookvitals.event import Event

Handler = Callable[[Event], Any]


class Dispatcher:
    """Handlers by event type; `*` in a type matches any run of characters."""

    def __init__(self) -> None:
        self._exact: Dict[str, Handler] = {}
        self._patterns: Dict[str, Handler] = {}

    def add(self, pattern: str, handler: Handler) -> None:
        """Registers a handler. Raises ValueError when the pattern is taken, or when it is async."""
        if inspect.iscoroutinefunction(handler):
            raise ValueError(
                f"the handler of {pattern!r} is async, and nobody would await it; give a function"
            )
        table = self._patterns if "*" in pattern else self._exact
        if pattern in table:
            raise ValueError(f"{pattern!r} has a handler already")
        table[pattern] = handler

    def handler_of(self, event_type: str) -> Optional[Handler]:
        """The handler of a type; None when there is none."""
        if event_type in self._exact:
            return self._exact[event_type]
        matching = [pattern for pattern in self._patterns if fnmatchcase(event_type, pattern)]
        return self._patterns[max(matching, key=len)] if matching else None
