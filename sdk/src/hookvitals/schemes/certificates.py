"""An X.509 certificate that a provider signs its webhooks with: whose it is, while it is valid, and its key.

Fetched over verified TLS from the provider's own host, so its issuers are not walked again.
"""

import re
from dataclasses import dataclass, field
from typing import Dict, Tuple

from hookvitals.schemes.errors import BAD_SIGNATURE, UNKNOWN_KEY, VerificationError
from hookvitals.schemes.public_keys import PublicKey, need_crypto, rsa_key_of


@dataclass(frozen=True)
class Certificate:
    """names: of its subject, in lower case. starts_at, ends_at: seconds since 1970. keys: by hash."""

    names: Tuple[str, ...]
    starts_at: float
    ends_at: float
    keys: Dict[str, PublicKey] = field(repr=False)

    def check(self, pattern: "re.Pattern[str]", now: float) -> None:
        """Raises VerificationError unless it is the provider's, and valid now."""
        if not any(pattern.fullmatch(name) for name in self.names):
            raise VerificationError(UNKNOWN_KEY, "the certificate is not the provider's")
        if not self.starts_at <= now <= self.ends_at:
            raise VerificationError(UNKNOWN_KEY, "the certificate is not valid now")

    def require(self, signature: bytes, content: bytes, hash_name: str) -> str:
        """The key's id. Raises VerificationError unless it made this signature."""
        key = self.keys[hash_name]
        if not key.holds(signature, content):
            raise VerificationError(BAD_SIGNATURE, "the certificate's key did not make this signature")
        return key.id


def certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM text. Raises ValueError when there is none, or its key is not RSA."""
    need_crypto("an X.509 certificate")
    from cryptography import x509  # noqa: PLC0415  # the crypto extra
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    found = x509.load_pem_x509_certificate(pem)
    names = [str(each.value) for each in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += alternative.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        pass
    key = found.public_key()
    return Certificate(
        tuple(name.lower() for name in names),
        found.not_valid_before_utc.timestamp(),
        found.not_valid_after_utc.timestamp(),
        {name: rsa_key_of(key, name) for name in ("sha1", "sha256")},
    )
