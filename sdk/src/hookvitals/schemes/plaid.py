"""Plaid: a JWT in a header, signed with ES256, that holds the body's SHA-256 and its own time.

The key is asked for at Plaid by the id that the JWT names. Needs the `crypto` extra. Source: plaid.com,
webhook verification.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Callable, Optional, Sequence, Tuple, Union

from hookvitals.key_fetch import HttpsFetch, KeyUnavailable
from hookvitals.keyring import Keyring
from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    UNKNOWN_KEY,
    VerificationError,
)
from hookvitals.schemes.hmac_scheme import secret_bytes
from hookvitals.schemes.jose import json_part, jwk_key, signature_part
from hookvitals.schemes.public_keys import PublicKey, need_crypto
from hookvitals.schemes.sender import Sender
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
class PlaidScheme(Sender):
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
        url = f"https://{self.environment}.plaid.com/webhook_verification_key/get"
        ask = asking([(client, secret) for client, _, secret in accounts], url, HttpsFetch(re.escape(url)))
        object.__setattr__(self, "_ring", Keyring(self.fetch or ask, _key, lifetime_s=3600.0))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless Plaid signed this body."""
        text = only(headers, _HEADER)
        found = _JWT.match(text)
        if found is None:
            raise VerificationError(MALFORMED_SIGNATURE, f"{_HEADER} is not a JWT of 64 bytes' signature")
        head, claims = json_part(found.group(1)), json_part(found.group(2))
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
        if not key.holds(signature_part(found.group(3)), text.rpartition(".")[0].encode("ascii")):
            raise VerificationError(BAD_SIGNATURE, "Plaid's key did not make this signature")
        if not same(hashlib.sha256(body).hexdigest().encode(), text_bytes(digest.lower())):
            raise VerificationError(BAD_SIGNATURE, "the body is not the one that was signed")
        return Verified(key.id, within(float(issued_at), now, self.tolerance_s))


def asking(
    accounts: Sequence[Tuple[str, str]], url: str, post: Callable[[str, bytes], bytes]
) -> Callable[[str], bytes]:
    """Asks Plaid for a key by its id, with the first account that it lets in. post: gives the answer."""

    def ask(key_id: str) -> bytes:
        problem = KeyUnavailable("there is no account to ask Plaid with")
        for client, secret in accounts:
            try:
                question = {"client_id": client, "secret": secret, "key_id": key_id}
                return post(url, json.dumps(question).encode())
            except KeyUnavailable as exc:
                problem = exc
        raise problem

    return ask


def _key(answer: bytes) -> PublicKey:
    """The key of Plaid's answer. Raises ValueError."""
    try:
        jwk = json.loads(answer)["key"]
        expired = jwk.get("expired_at") is not None
    except (TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise ValueError("Plaid's answer holds no key") from exc
    if expired:
        raise ValueError("the key has expired")
    return jwk_key(jwk, "P-256")
