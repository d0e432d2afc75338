"""Public keys a provider signs against: RSA, ECDSA and Ed25519, each as an id and a yes or no.

Everything that needs the `crypto` extra stands here; without it MissingDependency says what to install.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Any, Callable, Union

from hookvitals.schemes.errors import MissingDependency

_LEAST_RSA_BITS = 2048


@dataclass(frozen=True)
class PublicKey:
    """id: eight hex digits of the key's own digest. holds: whether it made this signature of this content."""

    id: str
    holds: Callable[[bytes, bytes], bool] = field(repr=False)


def need_crypto(what: str) -> None:
    """Raises MissingDependency, naming the extra, when it is not installed. what: for whom."""
    try:
        import cryptography  # noqa: F401, PLC0415  # the crypto extra
    except ImportError as exc:
        raise MissingDependency(f"{what} needs: pip install 'hookvitals[crypto]'") from exc


def ed25519_key(raw: bytes) -> PublicKey:
    """Of its 32 bytes. Raises ValueError."""
    need_crypto("an Ed25519 signature")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    key = Ed25519PublicKey.from_public_bytes(raw)
    return PublicKey(_id(raw), lambda signature, content: _holds(key, signature, content))


def rsa_key(text: Union[str, bytes], hash_name: str = "sha256") -> PublicKey:
    """PKCS#1 v1.5 under a PEM public key, or the bare base64 of one. Raises ValueError."""
    return rsa_key_of(_loaded(text, "RSA"), hash_name)


def rsa_key_of(key: Any, hash_name: str) -> PublicKey:
    """The same of a key that `cryptography` has loaded."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the key is not an RSA key")
    if key.key_size < _LEAST_RSA_BITS:
        raise ValueError(
            f"the RSA key has {key.key_size} bits; fewer than {_LEAST_RSA_BITS} are not accepted"
        )
    digest = hashes.SHA1() if hash_name == "sha1" else hashes.SHA256()  # noqa: S303  # SNS, version 1
    return PublicKey(
        _id(_der(key)),
        lambda signature, content: _holds(key, signature, content, padding.PKCS1v15(), digest),
    )


def ecdsa_key(text: Union[str, bytes]) -> PublicKey:
    """ECDSA on P-256 with SHA-256, signatures in DER, under a PEM public key or the bare base64 of one."""
    return ecdsa_key_of(_loaded(text, "ECDSA"))


def ecdsa_key_of(key: Any, curve: str = "P-256") -> PublicKey:
    """The same of a key that `cryptography` has loaded. curve: or P-521, which goes with SHA-512."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    kind, digest = (ec.SECP256R1, hashes.SHA256()) if curve == "P-256" else (ec.SECP521R1, hashes.SHA512())
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, kind):
        raise ValueError(f"the key is not an ECDSA key on the curve {curve}")
    return PublicKey(
        _id(_der(key)), lambda signature, content: _holds(key, signature, content, ec.ECDSA(digest))
    )


def _holds(key: Any, signature: bytes, content: bytes, *how: Any) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        key.verify(signature, content, *how)
    except InvalidSignature:
        return False
    return True


def _loaded(text: Union[str, bytes], kind: str) -> Any:
    need_crypto(f"an {kind} signature")
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    raw = (text.encode() if isinstance(text, str) else bytes(text)).strip().replace(b"\\n", b"\n")
    try:
        if raw.startswith(b"-----"):
            return serialization.load_pem_public_key(raw)
        return serialization.load_der_public_key(base64.b64decode(raw, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as exc:
        raise ValueError(f"the {kind} key is not a PEM public key, nor the base64 of one") from exc


def _der(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    der: bytes = key.public_bytes(serialization.Encoding.DER, spki)
    return der


def _id(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:8]
