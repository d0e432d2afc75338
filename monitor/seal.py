"""Sealing what must not lie open on a disk: AES-256-GCM under a key whose id stands in front.

Holds keys, opens what they sealed; knows nothing of where either is kept. A sealed value is bound to its
context (what it belongs to), so that it cannot be moved to another row.
"""

import hashlib
import os
from collections.abc import Callable, Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from monitor.errors import HookvitalsError
from monitor.model import Capture

KEY_BYTES = 32
_FORM = b"\x01"  # of what follows: key id, nonce, ciphertext with its tag
_ID_BYTES = 4
_NONCE_BYTES = 12
_HEAD_BYTES = len(_FORM) + _ID_BYTES + _NONCE_BYTES


class Unsealable(HookvitalsError):
    """The sealed value cannot be opened: its key is not here, or it was changed or moved."""

    code = "unsealable"


class Sealer:
    """Seals with one key; opens what this key or an older one sealed."""

    def __init__(
        self, key: bytes, older: Sequence[bytes] = (), randomness: Callable[[int], bytes] = os.urandom
    ) -> None:
        """key, older: 32 bytes each. Raises ValueError for another length."""
        if any(len(each) != KEY_BYTES for each in (key, *older)):
            raise ValueError("a sealing key has 32 bytes")
        self._ciphers = {key_id(each): AESGCM(each) for each in (*older, key)}
        self._current = key_id(key)
        self._randomness = randomness

    def seal(self, content: bytes, context: bytes) -> bytes:
        """The content, sealed; only `open` with the same context gives it back."""
        nonce = self._randomness(_NONCE_BYTES)
        return _FORM + self._current + nonce + self._ciphers[self._current].encrypt(nonce, content, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed in this context. Raises Unsealable."""
        named, nonce = sealed[1 : 1 + _ID_BYTES], sealed[1 + _ID_BYTES : _HEAD_BYTES]
        cipher = self._ciphers.get(named)
        if sealed[:1] != _FORM or cipher is None:
            raise Unsealable(
                f"sealed under key {named.hex()}, which is not here",
                "put back the key file, or name the older key",
            )
        try:
            return cipher.decrypt(nonce, sealed[_HEAD_BYTES:], context)
        except InvalidTag as exc:
            raise Unsealable("the sealed value was changed or belongs to something else") from exc


def key_id(key: bytes) -> bytes:
    """Four bytes that name a key without telling anything of it."""
    return hashlib.sha256(b"hookvitals key id\0" + key).digest()[:_ID_BYTES]


class _Captured(msgspec.Struct):
    headers: dict[str, str]
    body: bytes
    content_type: str | None
    redacted: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Captured).decode


def capture_context(environment: str, source: str, endpoint: str, event_id: str) -> bytes:
    """What a capture belongs to: one event at one endpoint."""
    return _encode(("capture", environment, source, endpoint, event_id))


def sealed_capture(sealer: Sealer, capture: Capture, context: bytes) -> bytes:
    """The capture as the stores keep it."""
    content = _Captured(dict(capture.headers), capture.body, capture.content_type, capture.redacted)
    return sealer.seal(_encode(content), context)


def opened_capture(sealer: Sealer, sealed: bytes, context: bytes) -> Capture:
    """The capture that `sealed_capture` was given. Raises Unsealable."""
    try:
        found = _decode(sealer.open(sealed, context))
    except msgspec.DecodeError as exc:
        raise Unsealable("the sealed value is no capture") from exc
    return Capture(found.headers, found.body, found.content_type, found.redacted)
