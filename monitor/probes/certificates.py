"""What is wrong with a certificate, in the sentence its operator needs. OpenSSL has judged; this explains.

Revocation is not looked at: a certificate that its authority has withdrawn looks good here.
"""

import ssl
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

TEXT_CHARS = 512
NAMES_SHOWN = 4
EXPIRED, NOT_YET_VALID = 10, 9
SELF_SIGNED, SELF_SIGNED_IN_CHAIN = 18, 19
NO_ISSUER = (2, 20, 21)
WRONG_PURPOSE = (26, 79)
WRONG_NAME, WRONG_ADDRESS = 62, 64
KEY_TOO_WEAK, ISSUER_KEY_TOO_WEAK, DIGEST_TOO_WEAK = 66, 67, 68
"""X509_V_ERR_… of OpenSSL."""


def explained(error: ssl.SSLCertVerificationError, chain: Sequence[x509.Certificate], host: str) -> str:
    """Why a careful sender refuses the certificate. chain: as the server sent it, its own first."""
    leaf, code = chain[0], error.verify_code
    if code in (EXPIRED, NOT_YET_VALID):
        return _out_of_its_time(chain, expired=code == EXPIRED)
    if code == SELF_SIGNED:
        return "it is self-signed: no sender trusts it; get one from a public authority"
    if code == SELF_SIGNED_IN_CHAIN:
        return f"its authority {shown(chain[-1].subject)} is not one that senders trust"
    if code in NO_ISSUER:
        return _without_issuer(chain)
    if code in (WRONG_NAME, WRONG_ADDRESS):
        return _wrong_name(leaf, host)
    if code in WRONG_PURPOSE:
        return "it is not for servers: its extended key usage lacks serverAuth"
    if code == KEY_TOO_WEAK:
        return f"its key is too weak ({key_of(leaf)}); make one of RSA 2048, or of an elliptic curve"
    if code == ISSUER_KEY_TOO_WEAK:
        return "the key of an authority in its chain is too weak"
    if code == DIGEST_TOO_WEAK:
        return f"it is signed with {digest_of(chain)}, which senders refuse; have it issued anew with SHA-256"
    return error.verify_message


def shown(name: x509.Name) -> str:
    """A subject or an issuer, bounded."""
    return name.rfc4514_string()[:TEXT_CHARS]


def key_of(certificate: x509.Certificate) -> str:
    """Type and size of its key, as "RSA 2048" or "EC secp256r1"."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def digest_of(chain: Sequence[x509.Certificate]) -> str:
    """The weakest digest that a certificate of the chain but a root is signed with."""
    digests = [one.signature_hash_algorithm for one in chain if one.subject != one.issuer]
    sizes = {digest.digest_size: digest.name.upper() for digest in digests if digest is not None}
    return sizes[min(sizes)] if sizes else "a weak digest"


def _out_of_its_time(chain: Sequence[x509.Certificate], *, expired: bool) -> str:
    at = [one.not_valid_after_utc if expired else one.not_valid_before_utc for one in chain]
    leaf, *others = at
    word = "expired on" if expired else "is not valid before"
    bad: datetime | None = (min if expired else max)(others, default=None)
    if bad is None or (leaf < bad if expired else leaf > bad):
        return f"it {word} {leaf:%Y-%m-%d}"
    return f"{shown(chain[1 + others.index(bad)].subject)} in its chain {word} {bad:%Y-%m-%d}"


def _without_issuer(chain: Sequence[x509.Certificate]) -> str:
    last = shown(chain[-1].issuer)
    if len(chain) == 1:
        return f"the server does not send the certificate of its issuer {last}: load the whole chain"
    return f"its authority {last} is not one that senders trust"


def _wrong_name(leaf: x509.Certificate, host: str) -> str:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return f"it names no host (no subjectAltName), and so not {host}; senders read no common name"
    found = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    more = "" if len(found) <= NAMES_SHOWN else f" and {len(found) - NAMES_SHOWN} more"
    return f"it is for {', '.join(found[:NAMES_SHOWN]) or 'nothing'}{more}, not for {host}"
