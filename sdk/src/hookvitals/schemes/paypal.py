"""PayPal: RSA over `transmission id|time|webhook id|CRC-32 of the body`, by a certificate named in a header.

The certificate's URL is believed only where PayPal publishes certificates. As in PayPal's own libraries, the
certificate must be issued to PayPal's name for this purpose, be valid now, and have a chain to a root that
this system trusts, of the issuers that stand behind it in the file. Of the body no more is signed than a sum
that another body can be made to fit: what a webhook says is worth asking PayPal about before money moves.
Needs the `crypto` extra. Source: developer.paypal.com, webhooks, and the cases of its own libraries.
"""

import re
import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import Callable, Optional, Sequence, Tuple, Union

from hookvitals.key_fetch import HttpsFetch
from hookvitals.keyring import Keyring
from hookvitals.schemes.certificates import (
    Certificate,
    chained_certificate,
    issuers_of,
    known_certificate,
)
from hookvitals.schemes.errors import BAD_SIGNATURE, MALFORMED_SIGNATURE, VerificationError
from hookvitals.schemes.hmac_scheme import secret_bytes
from hookvitals.schemes.public_keys import need_crypto
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import (
    PAYPAL_TOLERANCE_S,
    HeaderItems,
    Verified,
    from_base64,
    instant,
    only,
    secret_id,
    text_bytes,
    within,
)

CERTIFICATE_URL = r"https://api(?:-m)?(?:\.sandbox)?\.paypal\.com/v1/notifications/certs/[A-Za-z0-9_-]{1,128}"
_SUBJECT = re.compile(r"messageverificationcerts\.(?:[a-z0-9-]+\.)*paypal\.com", re.ASCII)
_ALGORITHM = "SHA256withRSA"


@dataclass(frozen=True)
class PayPalScheme(Sender):
    """secrets: the ids of our webhooks, which PayPal signs along. fetch: gives a certificate's PEM by URL.

    trusted: PEM of issuers that are trusted besides the system's, should PayPal go to one it does not know.
    """

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    tolerance_s: float = PAYPAL_TOLERANCE_S
    fetch: Optional[Callable[[str], bytes]] = field(default=None, repr=False)
    trusted: str = field(default="", repr=False)
    _ids: Tuple[bytes, ...] = field(default=(), init=False, repr=False)
    _ring: Keyring[Certificate] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        need_crypto("PayPal's RSA signature")
        if not self.secrets:
            raise ValueError("the webhook's id is needed: PayPal's application settings show it")
        object.__setattr__(self, "_ids", tuple(secret_bytes(each) for each in self.secrets))
        fetch = self.fetch or HttpsFetch(CERTIFICATE_URL)
        read = partial(chained_certificate, trusted=issuers_of(self.trusted))
        object.__setattr__(self, "_ring", Keyring(fetch, read))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless PayPal signed this body for one of our webhooks."""
        message_id, stamp = only(headers, "paypal-transmission-id"), only(headers, "paypal-transmission-time")
        given = from_base64(only(headers, "paypal-transmission-sig"), "paypal-transmission-sig")
        cert_url = only(headers, "paypal-cert-url")
        if only(headers, "paypal-auth-algo") != _ALGORITHM:
            raise VerificationError(MALFORMED_SIGNATURE, f"the algorithm is not {_ALGORITHM}")
        signed_at = instant(stamp, "iso")
        found = known_certificate(self._ring, cert_url, CERTIFICATE_URL)
        found.check(_SUBJECT, now)
        head, tail = text_bytes(f"{message_id}|{stamp}|"), f"|{zlib.crc32(body)}".encode()
        for each in self._ids:
            if found.keys["sha256"].holds(given, head + each + tail):
                return Verified(secret_id(each), within(signed_at, now, self.tolerance_s))
        raise VerificationError(BAD_SIGNATURE, "PayPal did not sign this for one of our webhooks")
