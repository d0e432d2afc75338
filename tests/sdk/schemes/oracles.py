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
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = 1_800_000_000.0
HAS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is missing")
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
_MAY_ISSUE = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


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


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


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


class JwsLike:
    """A provider with an ECDSA key that signs as JWS asks for: r and s side by side, in base64url."""

    def __init__(self, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> None:
        self.private = ec.generate_private_key(curve)
        self.jwk = jwk_of(self.private.public_key())
        self._digest = digest

    def signature(self, signed: bytes) -> str:
        made = self.private.sign(signed, ec.ECDSA(self._digest))
        return side_by_side(*decode_dss_signature(made), curve=self.private.curve)


def jwk_of(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    point = key.public_numbers()
    x, y = (side_by_side(each, curve=key.curve) for each in (point.x, point.y))
    return {"kty": "EC", "crv": f"P-{key.curve.key_size}", "x": x, "y": y}


def side_by_side(*numbers: int, curve: ec.EllipticCurve) -> str:
    """Each in as many bytes as the curve has, in base64url."""
    return b64url(b"".join(each.to_bytes((curve.key_size + 7) // 8, "big") for each in numbers))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    name: x509.Name,
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    first_year: int,
    last_year: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(first_year, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(last_year, 1, 1, tzinfo=UTC))
    )


def _ca(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    first_year: int,
    last_year: int,
) -> x509.Certificate:
    public, above = key.public_key(), issuer_key.public_key()
    made = (
        _builder(name, public, issuer, first_year, last_year)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_MAY_ISSUE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    )
    return made.sign(issuer_key, hashes.SHA256())


class Authority:
    """A root and an intermediate below it. years: in which the intermediate may issue."""

    def __init__(self, first_year: int = 2015, last_year: int = 2045) -> None:
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root, below = _named("Root"), _named("Intermediate")
        self._root = _ca(root, self._root_key, root, self._root_key, 2010, 2050)
        self._below = _ca(below, self._key, root, self._root_key, first_year, last_year)
        self.pem, self.intermediate = (_pem(each) for each in (self._root, self._below))

    def issue(self, name: str, key: rsa.RSAPublicKey, first_year: int, last_year: int) -> bytes:
        """The PEM of a certificate for the name."""
        issuer = self._key.public_key()
        made = (
            _builder(_named(name), key, self._below.subject, first_year, last_year)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )
        return _pem(made.sign(self._key, hashes.SHA256()))


AUTHORITY = Authority()


class Certified:
    """A provider with an RSA key and a certificate over it, for the name: self-signed without an issuer."""

    def __init__(
        self,
        name: str,
        first_year: int = 2020,
        last_year: int = 2040,
        *,
        issuer: Authority | None = AUTHORITY,
    ) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key = self.private.public_key()
        if issuer is not None:
            self.pem = issuer.issue(name, key, first_year, last_year)
            self.chain = self.pem + issuer.intermediate
            return
        made = _builder(_named(name), key, _named(name), first_year, last_year)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        self.pem = self.chain = _pem(made.sign(self.private, hashes.SHA256()))

    def signature(self, signed: bytes, digest: hashes.HashAlgorithm | None = None) -> str:
        return b64(self.private.sign(signed, padding.PKCS1v15(), digest or hashes.SHA256()))
