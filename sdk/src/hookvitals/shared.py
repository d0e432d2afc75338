"""The records of a request that brought several events, until it is known which of them is the request's own.

A request is one delivery: one of its records, and only one, carries what was answered and when, else it would
be counted as often as it has events. That is the record of the event that decided the answer, so that the
status a record shows is the one its outcome deserves; of equals the first. Which one it is stands when all
are done: until then the worst so far is held back, and a crash in between costs its record, no other.
"""

from dataclasses import dataclass
from typing import Any, Dict, Optional

from hookvitals.answers import Answer
from hookvitals.event import Event


@dataclass(frozen=True)
class Note:
    """What became of one event. answer: what its sender would be told if it had come alone."""

    outcome: str
    answer: Answer
    fields: Dict[str, Any]
    event: Optional[Event]


class Shared:
    """One request's. The highest status is the worst: 5xx before 4xx before 2xx, so that whenever anything is
    left to do the sender comes again, with all of it; what is done is a duplicate then."""

    def __init__(self) -> None:
        self.worst: Optional[Note] = None

    def passed(self, note: Note) -> Optional[Note]:
        """Of this note and the one held back the one that is not the request's."""
        held = self.worst
        if held is not None and note.answer.status <= held.answer.status:
            return note
        self.worst = note
        return held
