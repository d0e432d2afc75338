"""Orum: RSA PKCS#1 v1.5 with SHA-256 over the raw body followed by the text of its `created_at` field.

No time is signed apart from that field, so replay defence is deduplication and, if wanted, its age.
Needs the `crypto` extra. Source: docs.orum.io, secure webhooks.
"""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Callable, List, Optional, Sequence, Tuple, Union

from hookvitals.key_fetch import KeyUnavailable
from hookvitals.keyring import Keyring
from hookvitals.schemes.errors import (
    BAD_SIGNATURE,
    MALFORMED_SIGNATURE,
    UNKNOWN_KEY,
    VerificationError,
    only_the_provider,
)
from hookvitals.schemes.public_keys import PublicKey, rsa_key
from hookvitals.schemes.sender import Sender, refused_bodies
from hookvitals.schemes.signed import HeaderItems, Verified, from_base64, only

_NAME = "orum"


@dataclass(frozen=True)
class OrumScheme(Sender):
    """secrets: Orum's public keys, PEM (or the bare base64 of one).

    fetch: gives Orum's present key in the same form; asked in the background when a signature fits no key
    that we have, once a minute at most. Its argument is always `orum`. monotonic: the clock of what is kept.
    signer: signs in trials, with a private key of your own whose public half is in `secrets`.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header: str = "Signature"
    fetch: Optional[Callable[[str], bytes]] = field(default=None, repr=False)
    signer: Optional[Callable[[bytes], bytes]] = field(default=None, repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    _ring: Optional[Keyring[PublicKey]] = field(default=None, init=False, repr=False)
    _keys: Tuple[PublicKey, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fetch is not None:
            object.__setattr__(self, "_ring", Keyring(self.fetch, rsa_key, monotonic=self.monotonic))
        elif not self.secrets:
            raise ValueError(
                "Orum's public key is needed: secrets=[PEM], which GET webhooks/secret at Orum's API returns "
                "to your account, or scheme_settings={'fetch': a function that gives it}"
            )
        object.__setattr__(self, "_keys", tuple(rsa_key(text) for text in self.secrets))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless one of the keys signed body + created_at."""
        given = from_base64(only(headers, self.header), self.header)
        content = body + _created_at(body).encode()
        for keys in (lambda: self._keys, self._published):
            for key in keys():
                if key.holds(given, content):
                    return Verified(key.id)
        if self._ring is not None:
            self._ring.renew(_NAME)
        raise VerificationError(BAD_SIGNATURE, "no configured key made this signature")

    def _published(self) -> Sequence[PublicKey]:
        """The key that Orum publishes, if it can be had."""
        if self._ring is None:
            return ()
        try:
            return (self._ring.get(_NAME),)
        except KeyUnavailable as exc:
            if self._keys:
                return ()
            raise VerificationError(UNKNOWN_KEY, str(exc)) from exc

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The header Orum would send. Raises ValueError without signer, or for a body without created_at."""
        if self.signer is None:
            raise only_the_provider("so")
        with refused_bodies():
            content = body + _created_at(body).encode()
        return [(self.header, base64.b64encode(self.signer(content)).decode())]


def _created_at(body: bytes) -> str:
    try:
        found = json.loads(body)["created_at"]
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise VerificationError(
            MALFORMED_SIGNATURE, "the body has no created_at that could be signed"
        ) from exc
    if not isinstance(found, str) or not found.isprintable():
        raise VerificationError(MALFORMED_SIGNATURE, "created_at in the body is not text")
    return found
