"""Private keys of your own: they sign in trials what a provider signs with its own, which nobody else has.

The receiver under trial is given the public half. Never used to verify. Needs the `crypto` extra.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Callable, Dict, Union

from hookvitals.schemes import MissingDependency


@dataclass(frozen=True)
class PrivateKey:
    """algorithm: rsa, ecdsa or ed25519. public: as the receiver takes it, PEM, or hexadecimal for Ed25519."""

    algorithm: str
    public: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def is_private(secret: Union[str, bytes]) -> bool:
    """Whether this is the PEM of a private key."""
    text = secret if isinstance(secret, bytes) else secret.encode("utf-8", "replace")
    return text.lstrip().startswith(b"-----BEGIN ") and b"PRIVATE KEY-----" in text


@lru_cache(maxsize=8)  # an RSA key is checked for 35 ms whenever it is loaded; a load signs with it each time
def private_key(pem: Union[str, bytes]) -> PrivateKey:
    """Of PEM without a password. Raises ValueError, and MissingDependency without the extra."""
    serialization, _, asymmetric = _crypto()
    raw = pem.encode() if isinstance(pem, str) else pem
    try:
        key = serialization.load_pem_private_key(raw, password=None)
    except (ValueError, TypeError):
        raise ValueError("the private key is not PEM without a password") from None  # the cause may show it
    if isinstance(key, asymmetric["rsa"].RSAPrivateKey):
        return PrivateKey("rsa", _public_pem(key), lambda content: _rsa(key, content))
    if isinstance(key, asymmetric["ec"].EllipticCurvePrivateKey):
        return PrivateKey("ecdsa", _public_pem(key), lambda content: _ecdsa(key, content))
    if isinstance(key, asymmetric["ed25519"].Ed25519PrivateKey):
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return PrivateKey("ed25519", public.hex(), key.sign)
    raise ValueError("the private key is neither RSA, nor EC, nor Ed25519")


def new_private_key(algorithm: str) -> str:
    """The PEM of a fresh one: 2048 bits for rsa, P-256 for ecdsa."""
    serialization, _, asymmetric = _crypto()
    makers: Dict[str, Callable[[], Any]] = {
        "rsa": lambda: asymmetric["rsa"].generate_private_key(public_exponent=65537, key_size=2048),
        "ecdsa": lambda: asymmetric["ec"].generate_private_key(asymmetric["ec"].SECP256R1()),
        "ed25519": lambda: asymmetric["ed25519"].Ed25519PrivateKey.generate(),
    }
    pem: bytes = makers[algorithm]().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def _rsa(key: Any, content: bytes) -> bytes:
    _, hashes, asymmetric = _crypto()
    signature: bytes = key.sign(content, asymmetric["padding"].PKCS1v15(), hashes.SHA256())
    return signature


def _ecdsa(key: Any, content: bytes) -> bytes:
    _, hashes, asymmetric = _crypto()
    signature: bytes = key.sign(content, asymmetric["ec"].ECDSA(hashes.SHA256()))
    return signature


def _public_pem(key: Any) -> str:
    serialization, _, _ = _crypto()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, spki)
    return pem.decode()


def _crypto() -> Any:
    """(serialization, hashes, the asymmetric modules by name)."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  # the crypto extra
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa  # noqa: PLC0415
    except ImportError as exc:
        raise MissingDependency("a private key needs: pip install 'hookvitals[crypto]'") from exc
    return serialization, hashes, {"ec": ec, "ed25519": ed25519, "padding": padding, "rsa": rsa}
