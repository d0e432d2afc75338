"""Orum: RSA PKCS#1 v1.5 with SHA-256 over the raw body followed by the text of its `created_at` field.

No time is signed apart from that field, so replay defence is deduplication and, if wanted, its age.
Needs the `crypto` extra. Source: docs.orum.io, secure webhooks.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, List, Sequence, Tuple, Union

from hookvitals.schemes.errors import BAD_SIGNATURE, MALFORMED_SIGNATURE, MissingDependency, VerificationError
from hookvitals.schemes.signed import HeaderItems, Verified, from_base64, only

_LEAST_BITS = 2048


@dataclass(frozen=True)
class OrumScheme:
    """secrets: Orum's public keys, PEM (or the bare base64 of one)."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header: str = "Signature"
    _keys: Tuple[Tuple[str, Any], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.secrets:
            raise ValueError("Orum's public key is needed: GET webhooks/secret at Orum's API returns it")
        object.__setattr__(self, "_keys", tuple(_public_key(text) for text in self.secrets))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the keys signed body + created_at."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # the crypto extra
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

        given = from_base64(only(headers, self.header), self.header)
        content = body + _created_at(body).encode()
        for name, key in self._keys:
            try:
                key.verify(given, content, padding.PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                continue
            return Verified(name)
        raise VerificationError(BAD_SIGNATURE, "no configured key made this signature")

    def sign(self, body: bytes, now: float) -> List[Tuple[str, str]]:
        """Always refused: only Orum has the private key."""
        raise ValueError("Orum signs with a private key that is not ours; use a replay secret instead")


def _created_at(body: bytes) -> str:
    try:
        found = json.loads(body)["created_at"]
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise VerificationError(
            MALFORMED_SIGNATURE, "the body has no created_at that could be signed"
        ) from exc
    if not isinstance(found, str) or not found.isprintable():
        raise VerificationError(MALFORMED_SIGNATURE, "created_at in the body is not text")
    return found


def _public_key(text: Union[str, bytes]) -> Tuple[str, Any]:
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # the crypto extra
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    except ImportError as exc:
        raise MissingDependency("Orum's RSA signatures need: pip install 'hookvitals[crypto]'") from exc
    raw = (text.encode() if isinstance(text, str) else text).strip().replace(b"\\n", b"\n")
    if not raw.startswith(b"-----"):
        raw = b"-----BEGIN PUBLIC KEY-----\n" + raw + b"\n-----END PUBLIC KEY-----\n"
    try:
        key = serialization.load_pem_public_key(raw)
    except ValueError as exc:
        raise ValueError("Orum's key is not a PEM public key") from exc
    if not isinstance(key, RSAPublicKey):
        raise ValueError("Orum's key is not an RSA key")
    if key.key_size < _LEAST_BITS:
        raise ValueError(f"Orum's key has {key.key_size} bits; fewer than {_LEAST_BITS} are not accepted")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:8], key
