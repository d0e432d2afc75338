"""What a handler gives when it handed its event on, to a task queue say, whose worker tells how it ended."""

from enum import Enum
from types import CoroutineType
from typing import Any, Optional, Union


class Accepted(Enum):
    """The type of ACCEPTED, which is its only value."""

    ACCEPTED = "accepted"


ACCEPTED = Accepted.ACCEPTED
"""Return it from a handler once a broker has the event: it is recorded as `accepted`, its copies are
duplicates, and the record that ends it comes from whoever works it."""

Given = Union[BaseException, Accepted, None]
"""What came of a handler: what it raised, ACCEPTED, or nothing, for the work is done."""


def finished(answer: Any) -> Optional[Accepted]:
    """ACCEPTED, or None for work that is done. answer: of a handler.

    Raises TypeError for a coroutine: what it was to do has not begun, and nobody would await it.
    """
    if isinstance(answer, CoroutineType):
        answer.close()
        raise TypeError(
            "the handler gave a coroutine, which nobody awaits: let it run what it means to, or register "
            "hookvitals.integrations.asgi.on_this_loop of an async function"
        )
    return ACCEPTED if answer is ACCEPTED else None
