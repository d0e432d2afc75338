"""An X.509 certificate that a provider signs its webhooks with: whose it is, while it is valid, and its key.

Fetched over verified TLS from the provider's own host. Where the provider sends the issuers along, they are
walked to a root that this system trusts; a certificate that comes alone is checked by its name and its dates,
and who issued it is then known by the host alone.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from hookvitals.key_fetch import KeyUnavailable
from hookvitals.keyring import Keyring
from hookvitals.schemes.errors import BAD_SIGNATURE, UNKNOWN_KEY, VerificationError
from hookvitals.schemes.public_keys import PublicKey, need_crypto, rsa_key_of

_MOST = 8
"""Certificates in a file: more are no chain."""


@dataclass(frozen=True)
class Certificate:
    """names: of its subject, in lower case. starts_at, ends_at: seconds since 1970. keys: by hash.

    walk: whether a chain leads from it to a trusted root, for a name at a time; None where no chain is due.
    """

    names: Tuple[str, ...]
    starts_at: float
    ends_at: float
    keys: Dict[str, PublicKey] = field(repr=False)
    walk: Optional[Callable[[str, float], bool]] = field(default=None, repr=False)

    def check(self, pattern: "re.Pattern[str]", now: float) -> None:
        """Raises VerificationError unless it is the provider's, and valid now."""
        name = next((name for name in self.names if pattern.fullmatch(name)), None)
        if name is None:
            raise VerificationError(UNKNOWN_KEY, "the certificate is not the provider's")
        if not self.starts_at <= now <= self.ends_at:
            raise VerificationError(UNKNOWN_KEY, "the certificate is not valid now")
        if self.walk is not None and not self.walk(name, now):
            raise VerificationError(UNKNOWN_KEY, "no chain leads from the certificate to a trusted root")

    def require(self, signature: bytes, content: bytes, hash_name: str) -> str:
        """The key's id. Raises VerificationError unless it made this signature."""
        key = self.keys[hash_name]
        if not key.holds(signature, content):
            raise VerificationError(BAD_SIGNATURE, "the certificate's key did not make this signature")
        return key.id


def known_certificate(ring: Keyring[Certificate], url: str, pattern: str) -> Certificate:
    """The certificate at a URL that a request names. Raises VerificationError(unknown_key)."""
    if re.fullmatch(pattern, url, re.ASCII) is None:
        raise VerificationError(UNKNOWN_KEY, "the certificate's URL is not one of the provider's")
    try:
        return ring.get(url)
    except KeyUnavailable as exc:
        raise VerificationError(UNKNOWN_KEY, str(exc)) from exc


def certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM text. Raises ValueError when there is none, or its key is not RSA."""
    return _read(_loaded(pem)[0])


def issuers_of(pem: str) -> List[Any]:
    """The certificates of a PEM text, which may be empty. Raises ValueError."""
    try:
        return _loaded(pem.encode()) if pem else []
    except ValueError as exc:
        raise ValueError("trusted is the PEM of certificates") from exc


def chained_certificate(pem: bytes, trusted: Sequence[Any] = ()) -> Certificate:
    """The same, with the others as its issuers. trusted: issuers that are, besides the system's."""
    leaf, *issuers = _loaded(pem)
    roots = [*trusted, *_system_roots([leaf, *issuers])]
    return _read(leaf, lambda name, now: _leads_to(roots, leaf, issuers, name, now))


def _leads_to(roots: List[Any], leaf: Any, issuers: List[Any], name: str, now: float) -> bool:
    from cryptography import x509  # noqa: PLC0415  # the crypto extra
    from cryptography.x509 import verification  # noqa: PLC0415

    if not roots:
        return False
    policy = verification.PolicyBuilder().store(verification.Store(roots))
    policy = policy.time(datetime.fromtimestamp(now, tz=timezone.utc))
    try:
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, issuers)
    except (verification.VerificationError, ValueError):
        return False
    return True


def _loaded(pem: bytes) -> List[Any]:
    need_crypto("an X.509 certificate")
    from cryptography import x509  # noqa: PLC0415

    found = x509.load_pem_x509_certificates(pem)
    if len(found) > _MOST:
        raise ValueError(f"more than {_MOST} certificates are no chain")
    return list(found)


def _read(found: Any, walk: Optional[Callable[[str, float], bool]] = None) -> Certificate:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

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
        walk,
    )


def _system_roots(certificates: List[Any]) -> List[Any]:
    """Of what this system trusts for TLS, whatever may have issued one of these: few of the many are read."""
    import ssl  # noqa: PLC0415  # a tenth of the import, for few

    from cryptography import x509  # noqa: PLC0415

    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath
    if folder and not context.get_ca_certs():  # OpenSSL reads none of a folder before it is asked for
        for file in sorted(Path(folder).glob("*.[0-9]")):
            with suppress(ssl.SSLError):
                context.load_verify_locations(cafile=str(file))
    issuers = {each.issuer.public_bytes() for each in certificates}
    ders = context.get_ca_certs(binary_form=True)
    return [x509.load_der_x509_certificate(der) for der in ders if any(name in der for name in issuers)]
