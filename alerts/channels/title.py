"""A channel's own first line: a template of a few words in braces, filled in from the alert.

`{severity} at {place}` and nothing cleverer: no expression, no attribute, no code. What it may name is known
when the configuration is read, so a misspelt word is refused then.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from string import Formatter

from alerts.message import TITLE_CHARS, Message, place_of, plain

FIELDS: Mapping[str, Callable[[Message], str]] = {
    "title": lambda message: message.title,
    "severity": lambda message: message.severity.value,
    "state": lambda message: "resolved" if message.resolved else "firing",
    "rule": lambda message: message.alert.rule,
    "place": lambda message: place_of(message.alert),
    "summary": lambda message: message.summary,
    "environment": lambda message: message.labels.get("environment", ""),
    "source": lambda message: message.labels.get("source", ""),
    "endpoint": lambda message: message.labels.get("endpoint", ""),
}


class TitleTemplate:
    """Raises ValueError, with the words there are, for a template that cannot be filled in."""

    def __init__(self, text: str) -> None:
        if not text.strip():
            raise ValueError(f"the title is empty; write one such as {EXAMPLE}")
        try:
            parts = list(Formatter().parse(text))
        except ValueError:
            raise ValueError(
                f"the title has a brace too many or too few; write one such as {EXAMPLE}"
            ) from None
        for _, field, form, conversion in parts:
            if field is not None and field not in FIELDS:
                raise ValueError(_unknown(field))
            if form or conversion:
                raise ValueError(f"the title formats {{{field}}}; write the word in its braces alone")
        self._parts = [(literal, field) for literal, field, _, _ in parts]

    def filled(self, message: Message) -> str:
        """The first line of this message."""
        said = (
            literal + (plain(FIELDS[field](message), TITLE_CHARS) if field else "")
            for literal, field in self._parts
        )
        return plain("".join(said), TITLE_CHARS)


EXAMPLE = '"{severity}: {rule} at {place}"'


def _unknown(field: str) -> str:
    near = difflib.get_close_matches(field, FIELDS, 1)
    said = f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(FIELDS)}"
    return f"the title names {{{field}}}, which there is not; {said}"
