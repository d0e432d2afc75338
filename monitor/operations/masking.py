"""Hiding what nobody needs to read in a captured event: passwords, tokens, card and account numbers.

Pure. It errs on the side of hiding; what it returns is for eyes, never for sending.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MASK = "•••"
_SENSITIVE = re.compile(
    r"pass(word|wd|phrase|code)|pwd|secret|token|api[-_]?key|private[-_]?key|credential|authorization|cookie"
    r"|signature|card[-_]?number|cvv|cvc|\bpan\b|iban|account[-_]?number|routing[-_]?number|\bssn\b"
    r"|social[-_]?security|tax[-_]?id|\bpin\b|\botp\b|session[-_]?id",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-]?\d)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_PAIR = re.compile(
    r"(?P<key>[A-Za-z0-9_.-]{2,64})(?P<sep>=|:\s*|\"\s*:\s*\")(?P<value>[^&\s,;\"'<>]{1,4096})"
)


@dataclass(frozen=True, slots=True)
class Masked:
    """text: for a person. count: how many values were hidden."""

    text: str
    count: int


def masked_body(body: bytes) -> Masked:
    """The body with sensitive values hidden: indented if it is JSON, as it is if it is other text."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Masked(f"({len(body)} bytes that are no text)", 0)
    try:
        value = json.loads(text)
        counter = _Counter()
        return Masked(json.dumps(_hidden(value, counter), indent=2, ensure_ascii=False), counter.count)
    except (ValueError, RecursionError):
        return _masked_text(text)


def masked_headers(headers: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """The headers with sensitive values hidden, and how many were."""
    shown: dict[str, str] = {}
    hidden = 0
    for name, value in headers.items():
        found = Masked(MASK, 1) if _SENSITIVE.search(name) else _masked_text(value)
        shown[name], hidden = found.text, hidden + found.count
    return shown, hidden


class _Counter:
    count = 0


def _hidden(value: Any, counter: _Counter) -> Any:
    if isinstance(value, dict):
        return {key: _hidden_member(key, member, counter) for key, member in value.items()}
    if isinstance(value, list):
        return [_hidden(member, counter) for member in value]
    if isinstance(value, str):
        found = _masked_text(value)
        counter.count += found.count
        return found.text
    if isinstance(value, int) and _is_card(str(value)):
        counter.count += 1
        return MASK
    return value


def _hidden_member(key: str, member: Any, counter: _Counter) -> Any:
    if not _SENSITIVE.search(_spaced(key)) or member is None or isinstance(member, bool):
        return _hidden(member, counter)
    counter.count += 1
    return MASK


def _masked_text(text: str) -> Masked:
    counter = _Counter()

    def whole(_: re.Match[str]) -> str:
        counter.count += 1
        return MASK

    def card(match: re.Match[str]) -> str:
        return whole(match) if _is_card(match.group()) else match.group()

    def pair(match: re.Match[str]) -> str:
        if match["value"] == MASK or not _SENSITIVE.search(_spaced(match["key"])):
            return match.group()
        counter.count += 1
        return f"{match['key']}{match['sep']}{MASK}"

    shown = _BEARER.sub(whole, text)
    shown = _JWT.sub(whole, shown)
    shown = _PAIR.sub(pair, shown)
    shown = _CARD.sub(card, shown)
    return Masked(shown, counter.count)


def _spaced(key: str) -> str:
    """camelCase taken apart, so that `accountNumber` and `cardPan` are words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", key).replace("_", "-").replace(".", "-")


def _is_card(text: str) -> bool:
    """Whether the digits pass the check of Luhn that every card number passes."""
    digits = [int(char) for char in text if char.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
