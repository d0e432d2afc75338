"""Mailgun: HMAC-SHA256 over a time and a random token, all three in the body, which itself is not signed.

Who has seen one genuine webhook can send any body with its three values as long as its time is young
enough. So a token counts once: give the profile `id_path="signature.token"`, and deduplication refuses the
second. JSON has them under `signature`, a form at its top; a setting says which it is, as for the handler:
a body read one way here and another way there would show two tokens. A form of several parts, as of mail
with attachments, is not read. Source: documentation.mailgun.com, securing webhooks.
"""

import json
import os
import re
from dataclasses import dataclass, field
from hmac import digest
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union
from urllib.parse import parse_qsl, urlencode

from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    MISSING_SIGNATURE,
    VerificationError,
)
from hookvitals.schemes.hmac_scheme import hmac_keys
from hookvitals.schemes.sender import BodySender, refused_bodies
from hookvitals.schemes.signed import (
    DEFAULT_TOLERANCE_S,
    HeaderItems,
    Verified,
    from_hex,
    instant,
    same,
    stamp_of,
    within,
)

_NAMES = ("timestamp", "token", "signature")
_TOKEN = re.compile(r"[!-~]{1,128}\Z", re.ASCII)
_TOKEN_BYTES = 25
_MAC_BYTES = 32
_MOST_FIELDS = 1000


@dataclass(frozen=True)
class MailgunScheme(BodySender):
    """secrets: the account's webhook signing keys, as text. form: a route posts a form; webhooks are JSON."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    form: bool = False
    tolerance_s: float = DEFAULT_TOLERANCE_S
    _keys: Tuple[Tuple[str, bytes], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", hmac_keys(self.secrets, "text"))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the keys signed the body's time and token."""
        stamp, token, text = (_text(value) for value in self._told(body))
        signed_at = instant(stamp, "s")
        if not _TOKEN.match(token):
            raise VerificationError(MALFORMED_SIGNATURE, "the token is not 1 to 128 plain characters")
        given = from_hex(text, "signature")
        if len(given) != _MAC_BYTES:
            raise VerificationError(MALFORMED_SIGNATURE, "the signature has the wrong length")
        for name, key in self._keys:
            if same(_mac(key, stamp, token), given):
                return Verified(name, within(signed_at, now, self.tolerance_s))
        raise VerificationError(BAD_SIGNATURE, "no configured key made this signature")

    def completed(self, body: bytes, now: float) -> bytes:
        """With `signature`, under the token that stands there or a fresh one."""
        if self.form:
            return self._completed_form(body, now)
        try:
            message = json.loads(body)
            told = dict(message.get("signature") or {})
        except (ValueError, TypeError, AttributeError, RecursionError) as exc:
            raise ValueError("Mailgun's signature stands in a JSON object, which this body is not") from exc
        return json.dumps({**message, "signature": self._signed(told, now)}).encode()

    def _completed_form(self, body: bytes, now: float) -> bytes:
        with refused_bodies():
            pairs = _pairs(body)
        return urlencode(self._signed(dict(pairs), now)).encode()

    def _signed(self, told: Mapping[str, Any], now: float) -> Dict[str, Any]:
        stamp, token = stamp_of(now, "s"), str(told.get("token") or os.urandom(_TOKEN_BYTES).hex())
        made = _mac(self._keys[0][1], stamp, token).hex()
        return {**told, "timestamp": stamp, "token": token, "signature": made}

    def _told(self, body: bytes) -> List[Any]:
        """The body's time, token and signature."""
        found = _of_form(body) if self.form else _of_json(body)
        if not found.get("signature"):
            raise VerificationError(MISSING_SIGNATURE, "the body has no signature")
        return [found.get(name) for name in _NAMES]


def _mac(key: bytes, stamp: str, token: str) -> bytes:
    return digest(key, (stamp + token).encode(), "sha256")


def _of_json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body).get("signature")
    except (ValueError, AttributeError, RecursionError) as exc:
        raise VerificationError(MALFORMED_SIGNATURE, "the body is not a JSON object") from exc
    if found is not None and not isinstance(found, dict):
        raise VerificationError(MALFORMED_SIGNATURE, "the body's signature is not an object")
    return found or {}


def _of_form(body: bytes) -> Mapping[str, Any]:
    ours = [pair for pair in _pairs(body) if pair[0] in _NAMES]
    if len(dict(ours)) != len(ours):
        raise VerificationError(MALFORMED_SIGNATURE, "time, token or signature are given more than once")
    return dict(ours)


def _pairs(body: bytes) -> List[Tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as exc:
        raise VerificationError(MALFORMED_SIGNATURE, f"not a form of at most {_MOST_FIELDS} fields") from exc


def _text(value: Any) -> str:
    """Times are written as numbers, too."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise VerificationError(MALFORMED_SIGNATURE, "time, token and signature are not all text")
    try:
        return str(value)
    except ValueError as exc:  # more digits than Python writes
        raise VerificationError(MALFORMED_SIGNATURE, "the time is no number of seconds") from exc
