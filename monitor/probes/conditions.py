"""Whether an answer is the one that was asked for: its status, its body, its headers. Values in, a sentence
out."""

import json
import re
from typing import Any

from alerts.http import Response
from monitor.probes.target import ProbeTarget
from monitor.store.control.catalog import Scalar

SHOWN_CHARS = 60
MISSING = object()


def unmet(target: ProbeTarget, answer: Response) -> str | None:
    """The first condition that the answer does not meet, in words; None when it meets them all.

    Without stated statuses any below 500 will do. The first 64 KiB of a body are looked at.
    """
    conditions, text = target.conditions, answer.body.decode(errors="replace")
    if not (answer.status in target.statuses if target.statuses else answer.status < 500):
        return f"answered {answer.status}" + _expected(target.statuses)
    if conditions.contains and conditions.contains not in text:
        return f"answered {answer.status}, but its body does not contain {_shown(conditions.contains)}"
    if conditions.matches and re.search(conditions.matches, text) is None:
        return f"answered {answer.status}, but nothing in its body matches {_shown(conditions.matches)}"
    for name, value in conditions.headers:
        given = answer.headers.get(name.lower())
        if given != value:
            found = "is missing" if given is None else f"is {_shown(given)}"
            return f"answered {answer.status}, but its header {name} {found}, not {_shown(value)}"
    return _unmet_json(conditions.json, answer) if conditions.json else None


def _expected(statuses: tuple[int, ...]) -> str:
    return f", not {' or '.join(map(str, statuses))}" if statuses else ""


def _unmet_json(wanted: tuple[tuple[str, Scalar], ...], answer: Response) -> str | None:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return f"answered {answer.status}, but its body is no JSON of at most 64 KiB"
    for path, value in wanted:
        found = at(document, path)
        if found != value or not (type(found) is type(value) or _both_numbers(found, value)):
            shown = "is missing" if found is MISSING else f"is {_shown(found)}"
            return f"answered {answer.status}, but {path} in its JSON {shown}, not {_shown(value)}"
    return None


def at(document: Any, path: str) -> Any:
    """What lies at `checks.0.ok`: names of objects and places of lists; MISSING when nothing does."""
    for step in path.split("."):
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return MISSING
    return document


def _both_numbers(one: object, other: object) -> bool:
    return all(isinstance(item, int | float) and not isinstance(item, bool) for item in (one, other))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"
