"""JSON Web Signatures as providers use them: parts in base64url, and public keys written as JWK.

Which claims or headers a signature must have is the provider's scheme to say. Needs the `crypto` extra.
"""

import base64
import json
from typing import Any, Dict

from hookvitals.schemes.errors import MALFORMED_SIGNATURE, VerificationError
from hookvitals.schemes.public_keys import PublicKey, ecdsa_key_of

_HALF = {"P-256": 32, "P-521": 66}
"""Bytes of r and of s in a signature, by the key's curve: RFC 7518, section 3.4."""


def encoded(raw: bytes) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding, written the one way RFC 4648, section 3.5 calls canonical, so
    that no other text stands for the same signature. Raises ValueError."""
    written = text.encode("ascii")
    raw = base64.b64decode(written + b"=" * (-len(written) % 4), altchars=b"-_", validate=True)
    if encoded(raw) != written:
        raise ValueError("not canonical base64url")
    return raw


def json_part(text: str) -> Dict[str, Any]:
    """The JSON object behind such a part. Raises VerificationError."""
    try:
        found = json.loads(decoded(text))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise VerificationError(MALFORMED_SIGNATURE, "a part of the JWS is not a JSON object")
    return found


def signature_part(text: str) -> bytes:
    """The signature behind such a part. Raises VerificationError."""
    try:
        return decoded(text)
    except ValueError as exc:
        raise VerificationError(MALFORMED_SIGNATURE, f"the signature of the JWS: {exc}") from exc


def jwk_key(jwk: Any, curve: str) -> PublicKey:
    """The ECDSA key of a JWK, made to hold JWS signatures. curve: P-256 or P-521. Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415  # the crypto extra

    try:
        if (jwk["kty"], jwk["crv"]) != ("EC", curve):
            raise ValueError(f"the key is not an elliptic one on {curve}")
        x, y = (int.from_bytes(decoded(jwk[name]), "big") for name in ("x", "y"))
    except (TypeError, KeyError, AttributeError) as exc:
        raise ValueError("this is no JWK") from exc
    kind = ec.SECP256R1() if curve == "P-256" else ec.SECP521R1()
    key = ecdsa_key_of(ec.EllipticCurvePublicNumbers(x, y, kind).public_key(), curve)
    half = _HALF[curve]

    def holds(signature: bytes, content: bytes) -> bool:
        r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        return key.holds(utils.encode_dss_signature(r, s), content)

    return PublicKey(key.id, holds)
