"""One plain line out of a validation error: what is wrong with a value, in the operator's words.

It never repeats a value that may be a secret: only numbers and short plain words are shown.
"""

import difflib
import json
from collections.abc import Iterable
from typing import Any

SECRETIVE = ("reference to a secret", "expected a URL")
"""A value refused in these words may be a secret that was put in the wrong place."""
LISTED = 30
"""More names are not listed."""
SHOWN = 80
"""Longest value that is repeated in a message, in characters."""


FORMS = {
    "bool": "true or false",
    "dict": "a table such as { key = value }",
    "float": "a number",
    "int": "a whole number",
    "list": 'a list such as ["a", "b"]',
    "model": "a table of its own",
    "string": 'a text in quotes such as "a"',
    "tuple": 'a list such as ["a", "b"]',
}
"""What the first word of a validation error's type expects."""


def plain_problem(error: Any, *, show: bool = True) -> str:
    """The problem of one entry of pydantic's `errors()`, without the library's manner of speaking.

    show: whether the value itself may stand in the message.
    """
    kind = str(error["type"])
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "too_short":
        return "expected at least one"
    form, _, rest = kind.partition("_")
    is_form = form in FORMS and rest in ("type", "parsing", "from_float", "attributes_type")
    message = f"expected {FORMS[form]}" if is_form else str(error["msg"])
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    message = message.replace("Input should be", "expected").replace("String should have", "expected")
    show = show and not any(word in message for word in SECRETIVE)
    shown = _shown(error.get("input")) if show else ""
    return f"{shown}{message[:1].lower()}{message[1:]}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or with all of them, where they can be read in one line."""
    names = sorted(known)
    if meant := nearest(name, names):
        return f"did you mean {meant}?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"there are {', '.join(names[:LISTED])}{more}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is spelt almost so; empty when none is."""
    return next(iter(difflib.get_close_matches(name, sorted(known), 1)), "")


def _shown(value: object) -> str:
    if isinstance(value, bool | int | float | str) and len(str(value)) <= SHOWN:
        return f"{json.dumps(value, ensure_ascii=False)}: "
    return ""
