"""Takes out what must not leave the process: secrets out of error texts, and out of captured bodies what the
receiver's owner names. What a handler was given is never touched.
"""

import json
import logging
import re
from typing import Any, Callable, List, Optional, Sequence, Union

log = logging.getLogger("hookvitals")

Redact = Callable[[Any], Any]
"""Takes a body's parsed JSON, its own copy of it, and gives what may be shown."""

# Compiled when the first is used, and kept by `re`: half a millisecond of the import.
_KEYS = r"\b(?:whsec|whsk|hv|sk|pk|rk|xox[abp])[_-][A-Za-z0-9+/=_-]{8,}"
_NAMED = (
    r"(?i)\b(authorization|password|passwd|secret|token|api[_-]?key|cookie)(['\"]?\s*[:=]\s*)"
    r"(?:bearer\s+|basic\s+)?['\"]?[^\s'\",;&]+"
)
_URL_USER = r"(://[^\s:/@]+:)[^\s@/]+@"
_HIDDEN = "***"


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without these secrets, without what looks like a key, a password or a credential in a URL."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, _HIDDEN)
    text = re.sub(_KEYS, _HIDDEN, text)
    text = re.sub(_NAMED, rf"\1\2{_HIDDEN}", text)
    return re.sub(_URL_USER, rf"\1{_HIDDEN}@", text)


def redaction(given: Union[Redact, Sequence[str], None]) -> Optional[Redact]:
    """What `Receiver(redact=…)` means. Raises ValueError for a path that cannot be one.

    A path is dotted: `customer.email`; `*` stands for every key or place of a list: `items.*.card`. `$.` in
    front and `[*]` or `[0]` for places are understood.
    """
    if given is None or callable(given):
        return given
    if isinstance(given, str):
        raise ValueError("redact is a list of paths, even of one, or a function")
    paths = [_steps(path) for path in given]
    return lambda data: _without(data, paths)


def hidden_body(redact: Redact, body: bytes) -> Optional[bytes]:
    """The body without what `redact` hides: the same bytes where it hid nothing; None when it broke, for
    then nobody knows what might be shown."""
    try:
        shown = redact(json.loads(body))
        if shown == json.loads(body):
            return body
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    except Exception:  # somebody's function; and without its message, which may quote the body
        log.error("hookvitals: redact failed; the body is left out")
        return None


def _without(data: Any, paths: Sequence[List[str]]) -> Any:
    for path in paths:
        data = _hide(data, path)
    return data


def _hide(data: Any, path: List[str]) -> Any:
    if not path:
        return _HIDDEN
    step, rest = path[0], path[1:]
    if isinstance(data, dict):
        for name in list(data) if step == "*" else [step] if step in data else []:
            data[name] = _hide(data[name], rest)
    elif isinstance(data, list):
        places = range(len(data)) if step == "*" else [int(step)] if step.isdecimal() else []
        for place in places:
            if place < len(data):
                data[place] = _hide(data[place], rest)
    return data


def _steps(path: str) -> List[str]:
    text = re.sub(r"\[(\*|\d+)\]", r".\1", path) if isinstance(path, str) else ""
    steps = text[2:].split(".") if text.startswith("$.") else text.split(".")
    if not all(steps) or any(sign in text for sign in "[]()?@"):
        raise ValueError(f"redact: {path!r} is not a path like customer.email or items.*.card")
    return steps
