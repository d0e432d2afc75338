"""Signatures made by code that is not ours: the openssl command; RSA, ECDSA and Ed25519 of `cryptography`."""

import base64
import hashlib
import shutil
import subprocess
from datetime import UTC, datetime
from functools import lru_cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

NOW = 1_800_000_000.0
HAS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is missing")
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


@lru_cache(maxsize=4096)
def openssl_mac(key: bytes, signed: bytes, digest: str = "sha256") -> bytes:
    """Made by `openssl dgst -mac HMAC`."""
    command = ["openssl", "dgst", f"-{digest}", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return subprocess.run(command, input=signed, capture_output=True, check=True, timeout=20).stdout


def openssl_hmac(secret: str, signed: bytes, digest: str = "sha256") -> str:
    """The same in lower-case hex, under a secret that is text."""
    return openssl_mac(secret.encode(), signed, digest).hex()


def sha256_hex(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class OrumLike:
    """A provider with an RSA key of its own, signing body + created_at."""

    def __init__(self, bits: int = 2048) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.pem = self.private.public_key().public_bytes(serialization.Encoding.PEM, SPKI).decode()
        self.bare = b64(self.private.public_key().public_bytes(serialization.Encoding.DER, SPKI))

    def signature(self, body: bytes, created_at: str) -> str:
        return b64(self.private.sign(body + created_at.encode(), padding.PKCS1v15(), hashes.SHA256()))


class SendGridLike:
    """A provider with an ECDSA key on P-256; `public` is what its settings page shows."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self.private = ec.generate_private_key(curve or ec.SECP256R1())
        self.public = b64(self.private.public_key().public_bytes(serialization.Encoding.DER, SPKI))

    def signature(self, signed: bytes) -> bytes:
        return self.private.sign(signed, ec.ECDSA(hashes.SHA256()))


class DiscordLike:
    """A provider with an Ed25519 key; `public` is its hexadecimal."""

    def __init__(self) -> None:
        self.private = ed25519.Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw
        self.public = self.private.public_key().public_bytes(raw, serialization.PublicFormat.Raw).hex()

    def signature(self, signed: bytes) -> bytes:
        return self.private.sign(signed)


class Certified:
    """A provider with an RSA key and a certificate over it, for the name."""

    def __init__(self, name: str, first_year: int = 2020, last_year: int = 2040) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.private.public_key())
            .serial_number(7)
            .not_valid_before(datetime(first_year, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(last_year, 1, 1, tzinfo=UTC))
            .sign(self.private, hashes.SHA256())
        )
        self.pem = made.public_bytes(serialization.Encoding.PEM)

    def signature(self, signed: bytes, digest: hashes.HashAlgorithm | None = None) -> str:
        return b64(self.private.sign(signed, padding.PKCS1v15(), digest or hashes.SHA256()))
