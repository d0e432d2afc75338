"""What a body says: JSON or a form, one event or a list of them; and for each of a list a body of its own.

An event's own body is the provider's with its neighbours cut out: the same bytes around it, so that it is
read, kept and replayed like any body of its source, and a replay of one event carries that event alone.
Knows no request and no event.
"""

import json
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import parse_qsl

from hookvitals.answers import Refused

JSON, FORM = "json", "form"
KINDS = (JSON, FORM)
WHOLE = "."
"""The path of a list that is the body itself."""
MOST_EVENTS = 10_000
_MOST_FIELDS = 1000
_SPACE = re.compile(r"[ \t\n\r]*")
_value = json.JSONDecoder().raw_decode


class Part(NamedTuple):
    """What a body says of one event. own: the bytes of the event itself. body: a body that holds no other."""

    data: Any
    own: bytes
    body: bytes


def read(body: bytes, kind: str) -> Any:
    """What the whole body says. kind: of KINDS. Raises Refused(malformed_body)."""
    try:
        return _form(body) if kind == FORM else json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        detail = (
            f"the body is no form of at most {_MOST_FIELDS} fields"
            if kind == FORM
            else "the body is not JSON"
        )
        raise Refused("malformed_body", detail) from exc


def parts_of(body: bytes, data: Any, events_path: Optional[str]) -> List[Part]:
    """The events of a body, in its order. data: what `read` gave. Raises Refused(invalid_payload)."""
    if events_path is None:
        return [Part(data, body, body)]
    events = _listed(data, events_path)
    if len(events) > MOST_EVENTS:
        raise Refused("invalid_payload", f"more than {MOST_EVENTS} events in one body")
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    places, first, end = _places(text, steps_of(events_path))
    owns = [_bytes(text[begins:ends]) for begins, ends in places]
    if len(events) == 1:
        return [Part(events[0], owns[0], body)]
    head, tail = _bytes(text[:first]), _bytes(text[end:])
    return [Part(event, own, head + own + tail) for event, own in zip(events, owns)]


def data_of(body: bytes, kind: str, events_path: Optional[str]) -> Any:
    """What a body that holds one event says of it. Raises Refused."""
    data = read(body, kind)
    return data if events_path is None else _listed(data, events_path)[0]


def steps_of(events_path: str) -> List[str]:
    """The names on the way to the list."""
    return [] if events_path == WHOLE else events_path.split(".")


def _listed(data: Any, events_path: str) -> List[Any]:
    for step in steps_of(events_path):
        data = data.get(step) if isinstance(data, dict) else None
    if not isinstance(data, list):
        raise Refused("invalid_payload", f"{events_path} is no list of events")
    return data


def _form(body: bytes) -> Dict[str, Any]:
    """Field by field: a text, or a list of texts where a field is given more than once."""
    pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    values: Dict[str, List[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


# --- where things stand in a text that is known to be JSON ---


def _places(text: str, steps: List[str]) -> Tuple[List[Tuple[int, int]], int, int]:
    """(begin and end of each item of the list at these steps, where the first begins, where its end is)."""
    at = _after_space(text, 0)
    for step in steps:
        at = _value_at(text, at, step)
    first = at = _after_space(text, at + 1)
    places = []
    while text[at] != "]":
        _, end = _value(text, at)
        places.append((at, end))
        at = _after_comma(text, end)
    return places, first, at


def _value_at(text: str, at: int, name: str) -> int:
    """Where the value of this name begins; of several the last, which is the one that JSON's readers take."""
    found = at
    at = _after_space(text, at + 1)
    while text[at] != "}":
        key, end = _value(text, at)
        at = _after_space(text, _after_space(text, end) + 1)
        if key == name:
            found = at
        at = _after_comma(text, _value(text, at)[1])
    return found


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # it matches nothing, too
    return found.end()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
