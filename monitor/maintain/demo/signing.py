"""How the demo's traffic source signs: as each provider's documents say, by code that is not the receiver's.

Standard Webhooks are signed by the `standardwebhooks` library where it is installed (the extra `demo` brings
it), else by the five lines below.
"""

import base64
import hashlib
import hmac
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Headers = Mapping[str, str]
Sign = Callable[[str, datetime, bytes, Mapping[str, Any]], Headers]
"""(event id, time, body, the body's fields) → headers."""

LIBRARY = "standardwebhooks"


def signs_with_library() -> bool:
    return importlib.util.find_spec(LIBRARY) is not None


def standard(secret: str, *, with_library: bool | None = None) -> Sign:
    """Standard Webhooks v1. secret: `whsec_` and base64. with_library: None takes it where it is there."""
    if signs_with_library() if with_library is None else with_library:
        webhook = importlib.import_module(LIBRARY).Webhook(secret)

        def signature(event_id: str, at: datetime, body: bytes) -> str:
            return str(webhook.sign(event_id, at, body.decode()))
    else:
        key = base64.b64decode(secret.removeprefix("whsec_"))

        def signature(event_id: str, at: datetime, body: bytes) -> str:
            signed = f"{event_id}.{int(at.timestamp())}.".encode() + body
            return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()

    def sign(event_id: str, at: datetime, body: bytes, fields: Mapping[str, Any]) -> Headers:
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(event_id, at, body),
        }

    return sign


def hopnow(secret: str) -> Sign:
    """HopNow: hex HMAC-SHA256 of the body."""

    def sign(event_id: str, at: datetime, body: bytes, fields: Mapping[str, Any]) -> Headers:
        digest = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
        return {"X-Webhook-Signature": f"sha256={digest}"}

    return sign


class Orum:
    """Orum: RSA-2048 over the body and its `created_at`; the receiver is given the public key alone."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_key(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, event_id: str, at: datetime, body: bytes, fields: Mapping[str, Any]) -> Headers:
        signed = body + str(fields["created_at"]).encode()
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return {"Signature": base64.b64encode(signature).decode()}
