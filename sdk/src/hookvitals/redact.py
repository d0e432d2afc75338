"""Takes secrets out of error texts before they leave the process. Bodies are never looked at: see capture."""

import re
from typing import Sequence

_KEYS = re.compile(r"\b(?:whsec|whsk|hv|sk|pk|rk|xox[abp])[_-][A-Za-z0-9+/=_-]{8,}")
_NAMED = re.compile(
    r"(?i)\b(authorization|password|passwd|secret|token|api[_-]?key|cookie)(['\"]?\s*[:=]\s*)"
    r"(?:bearer\s+|basic\s+)?['\"]?[^\s'\",;&]+"
)
_URL_USER = re.compile(r"(://[^\s:/@]+:)[^\s@/]+@")
_HIDDEN = "***"


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without these secrets, without what looks like a key, a password or a credential in a URL."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, _HIDDEN)
    text = _KEYS.sub(_HIDDEN, text)
    text = _NAMED.sub(rf"\1\2{_HIDDEN}", text)
    return _URL_USER.sub(rf"\1{_HIDDEN}@", text)
