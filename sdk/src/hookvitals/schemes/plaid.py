"""Plaid: a JWT in a header, signed with ES256, that holds the body's SHA-256 and its own time.

The key is asked for at Plaid by the id that the JWT names. Needs the `crypto` extra. Source: plaid.com,
webhook verification.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from hookvitals.key_fetch import HttpsFetch, KeyUnavailable
from hookvitals.keyring import Keyring
from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    UNKNOWN_KEY,
    VerificationError,
)
from hookvitals.schemes.hmac_scheme import secret_bytes
from hookvitals.schemes.public_keys import PublicKey, ecdsa_key_of, need_crypto
from hookvitals.schemes.signed import (
    DEFAULT_TOLERANCE_S,
    HeaderItems,
    Verified,
    only,
    same,
    text_bytes,
    within,
)

_HEADER = "Plaid-Verification"
_JWT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})\Z", re.ASCII)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z", re.ASCII)
_LONGEST_TIME = 1 << 40


@dataclass(frozen=True)
class PlaidScheme:
    """secrets: `<client_id>:<secret>` of our account. environment: production or sandbox.

    fetch: gives Plaid's answer for a key id, in place of asking Plaid.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    environment: str = "production"
    tolerance_s: float = DEFAULT_TOLERANCE_S
    fetch: Optional[Callable[[str], bytes]] = field(default=None, repr=False)
    _ring: Keyring[PublicKey] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        need_crypto("Plaid's ECDSA signature")
        if self.environment not in ("production", "sandbox"):
            raise ValueError(f"environment is production or sandbox, not {self.environment!r}")
        accounts = [secret_bytes(each).decode("utf-8", "replace").partition(":") for each in self.secrets]
        if not accounts or not all(client and secret for client, _, secret in accounts):
            raise ValueError(
                "the account is needed as <client_id>:<secret>: Plaid gives its keys to nobody else"
            )
        ask = _asking([(client, secret) for client, _, secret in accounts], self.environment)
        object.__setattr__(self, "_ring", Keyring(self.fetch or ask, _key, lifetime_s=3600.0))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless Plaid signed this body."""
        text = only(headers, _HEADER)
        found = _JWT.match(text)
        if found is None:
            raise VerificationError(MALFORMED_SIGNATURE, f"{_HEADER} is not a JWT of 64 bytes' signature")
        head, claims = _part(found.group(1)), _part(found.group(2))
        key_id = head.get("kid")
        if head.get("alg") != "ES256" or not isinstance(key_id, str) or not _KEY_ID.match(key_id):
            raise VerificationError(MALFORMED_SIGNATURE, "the JWT is not of ES256 with a key id")
        issued_at, digest = claims.get("iat"), claims.get("request_body_sha256")
        if (
            isinstance(issued_at, bool)
            or not isinstance(issued_at, int)
            or not 0 <= issued_at < _LONGEST_TIME
        ):
            raise VerificationError(MALFORMED_SIGNATURE, "the JWT has no plain iat")
        if not isinstance(digest, str):
            raise VerificationError(MALFORMED_SIGNATURE, "the JWT has no request_body_sha256")
        try:
            key = self._ring.get(key_id)
        except KeyUnavailable as exc:
            raise VerificationError(UNKNOWN_KEY, str(exc)) from exc
        if not key.holds(_raw(found.group(3)), text.rpartition(".")[0].encode("ascii")):
            raise VerificationError(BAD_SIGNATURE, "Plaid's key did not make this signature")
        if not same(hashlib.sha256(body).hexdigest().encode(), text_bytes(digest.lower())):
            raise VerificationError(BAD_SIGNATURE, "the body is not the one that was signed")
        return Verified(key.id, within(float(issued_at), now, self.tolerance_s))

    def sign(self, body: bytes, now: float) -> List[Tuple[str, str]]:
        """Always refused: only Plaid has the private key."""
        raise ValueError("Plaid signs with a private key that is not ours")


def _asking(accounts: Sequence[Tuple[str, str]], environment: str) -> Callable[[str], bytes]:
    """Asks Plaid for a key, with the first account that it lets in."""
    url = f"https://{environment}.plaid.com/webhook_verification_key/get"
    fetch = HttpsFetch(re.escape(url))

    def ask(key_id: str) -> bytes:
        problem = KeyUnavailable("there is no account to ask Plaid with")
        for client, secret in accounts:
            try:
                question = {"client_id": client, "secret": secret, "key_id": key_id}
                return fetch(url, json.dumps(question).encode())
            except KeyUnavailable as exc:
                problem = exc
        raise problem

    return ask


def _key(answer: bytes) -> PublicKey:
    """The key of Plaid's answer, made to hold JWT signatures. Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415  # the crypto extra

    try:
        jwk = json.loads(answer)["key"]
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256") or jwk.get("expired_at") is not None:
            raise ValueError("the key is not P-256, or has expired")
        x, y = (int.from_bytes(_raw(jwk[name]), "big") for name in ("x", "y"))
    except (TypeError, KeyError, RecursionError) as exc:
        raise ValueError("Plaid's answer holds no key") from exc
    key = ecdsa_key_of(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())

    def holds(signature: bytes, content: bytes) -> bool:
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        return key.holds(utils.encode_dss_signature(r, s), content)

    return PublicKey(key.id, holds)


def _part(text: str) -> Dict[str, Any]:
    try:
        found = json.loads(_raw(text))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise VerificationError(MALFORMED_SIGNATURE, "the JWT is not of JSON objects")
    return found


def _raw(text: str) -> bytes:
    """base64url without padding. Raises ValueError."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
