"""Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`, signed `id.timestamp.body`.

`v1` is HMAC-SHA256 under a `whsec_` secret; `v1a` is Ed25519 under a `whpk_` public key (extra `crypto`).
Svix sends the same under `svix-*`. Source: standardwebhooks.com, the specification.
"""

import base64
import hmac
from dataclasses import dataclass, field
from typing import Callable, List, Optional, Sequence, Tuple, Union

from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    UNKNOWN_KEY,
    VerificationError,
    only_the_provider,
)
from hookvitals.schemes.public_keys import PublicKey, ed25519_key
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import (
    DEFAULT_TOLERANCE_S,
    HeaderItems,
    Verified,
    bounded,
    from_base64,
    only,
    same,
    seconds,
    secret_id,
    stamp_of,
    within,
)

_SECRET, _PUBLIC = "whsec_", "whpk_"


def standard_key(secret: Union[str, bytes]) -> bytes:
    """The HMAC key behind a `whsec_…` secret (the prefix may be missing). Raises ValueError."""
    text = secret.decode() if isinstance(secret, bytes) else secret
    text = text[len(_SECRET) :] if text.startswith(_SECRET) else text
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some providers leave = out
    except ValueError as exc:
        raise ValueError("a Standard Webhooks secret is base64 after `whsec_`") from exc
    if not key:
        raise ValueError("an empty secret would let anybody sign; give the provider's signing secret")
    return key


def standard_signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    """`v1,<base64>` over id.timestamp.body."""
    mac = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(mac).decode()


@dataclass(frozen=True)
class StandardScheme(Sender):
    """Standard Webhooks under any header prefix. With a public key configured, `v1` is never accepted.

    signer: signs `v1a` in trials, with a private key of your own whose public half is in `secrets`.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header_prefix: str = "webhook"
    tolerance_s: float = DEFAULT_TOLERANCE_S
    signer: Optional[Callable[[bytes], bytes]] = field(default=None, repr=False)
    _keys: Tuple[bytes, ...] = field(default=(), init=False, repr=False)
    _public: Tuple[PublicKey, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        texts = [s.decode() if isinstance(s, bytes) else s for s in self.secrets]
        public = [text for text in texts if text.startswith(_PUBLIC)]
        keys = tuple(standard_key(text) for text in texts if text not in public)
        if not keys and not public:
            raise ValueError("at least one secret is needed")
        object.__setattr__(self, "_keys", keys)
        object.__setattr__(self, "_public", tuple(_public_key(text) for text in public))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the keys made one of the signatures."""
        message_id = self._header(headers, "id")
        if not message_id.isascii():
            raise VerificationError(MALFORMED_SIGNATURE, "the message id is not ASCII")
        stamp = self._header(headers, "timestamp")
        given = self._signatures(self._header(headers, "signature"))
        signed_at = seconds(stamp)
        content = f"{message_id}.{stamp}.".encode() + body
        found = self._matched_public(content, given) if self._public else self._matched(content, given)
        if found is None:
            raise VerificationError(BAD_SIGNATURE, "no configured key made this signature")
        return Verified(found, within(signed_at, now, self.tolerance_s))

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The headers a provider would send, made with the signer, else with the first `whsec_` secret.

        message_id: `msg_test` without one.
        """
        message_id, stamp = message_id or "msg_test", stamp_of(now, "s")
        if self.signer is not None:
            content = f"{message_id}.{stamp}.".encode() + body
            signature = "v1a," + base64.b64encode(self.signer(content)).decode()
        elif self._keys:
            signature = standard_signature(self._keys[0], message_id, stamp, body)
        else:
            raise only_the_provider("so")
        values = {"id": message_id, "timestamp": stamp, "signature": signature}
        return [(f"{self.header_prefix}-{part}", value) for part, value in values.items()]

    def _header(self, headers: HeaderItems, part: str) -> str:
        return only(headers, f"{self.header_prefix}-{part}")

    def _signatures(self, text: str) -> List[bytes]:
        """The signatures of the one version we accept; others are skipped, as the specification asks."""
        accepted = "v1a" if self._public else "v1"
        known = []
        for part in bounded(text.split(), "signatures"):
            version, comma, encoded = part.partition(",")
            if not comma:
                raise VerificationError(MALFORMED_SIGNATURE, "a signature is not `version,base64`")
            if version == accepted:
                known.append(from_base64(encoded, "signature"))
        if not known:
            raise VerificationError(UNKNOWN_KEY, f"there is no {accepted} signature, the kind of our keys")
        return known

    def _matched(self, content: bytes, given: List[bytes]) -> Optional[str]:
        for key in self._keys:
            mac = hmac.digest(key, content, "sha256")
            if any(same(mac, one) for one in given):
                return secret_id(key)
        return None

    def _matched_public(self, content: bytes, given: List[bytes]) -> Optional[str]:
        for key in self._public:
            if any(key.holds(one, content) for one in given):
                return key.id
        return None


def _public_key(text: str) -> PublicKey:
    try:
        return ed25519_key(base64.b64decode(text[len(_PUBLIC) :], validate=True))
    except ValueError as exc:
        raise ValueError("a `whpk_` key is 32 bytes in base64") from exc
