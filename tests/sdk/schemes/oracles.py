"""Signatures made by code that is not ours: the openssl command, RSA and Ed25519 of `cryptography`."""

import base64
import hashlib
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NOW = 1_800_000_000.0
HAS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is missing")


def openssl_hmac(secret: str, signed: bytes, digest: str = "sha256") -> str:
    """Lower-case hex, made by `openssl dgst -hmac`."""
    command = ["openssl", "dgst", f"-{digest}", "-hmac", secret, "-r"]
    done = subprocess.run(command, input=signed, capture_output=True, check=True, timeout=20)
    return done.stdout.split()[0].decode()


def sha256_hex(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


class OrumLike:
    """A provider with an RSA key of its own, signing body + created_at."""

    def __init__(self, bits: int = 2048) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        self.pem = self._private.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
        der = self._private.public_key().public_bytes(serialization.Encoding.DER, spki)
        self.bare = base64.b64encode(der).decode()

    def signature(self, body: bytes, created_at: str) -> str:
        signed = self._private.sign(body + created_at.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signed).decode()
