"""What a handler gives when it handed its event on, to a task queue say, whose worker tells how it ended."""

from enum import Enum
from typing import Union


class Accepted(Enum):
    """The type of ACCEPTED, which is its only value."""

    ACCEPTED = "accepted"


ACCEPTED = Accepted.ACCEPTED
"""Return it from a handler once a broker has the event: it is recorded as `accepted`, its copies are
duplicates, and the record that ends it comes from whoever works it."""

Given = Union[Exception, Accepted, None]
"""What came of a handler: what it raised, ACCEPTED, or nothing, for the work is done."""
