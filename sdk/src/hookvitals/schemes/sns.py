"""Amazon SNS: RSA over named fields of the JSON body, by a certificate whose URL the body names.

Anybody can have SNS sign messages of a topic of their own, so the topics we listen to are part of what is
checked. The certificate comes alone, without its issuers, so that no chain can be built: it must come over
verified TLS from SNS's own host, be issued to SNS's name, and be valid now. Version 1 is SHA-1, version 2
SHA-256. Needs the `crypto` extra. Source: docs.aws.amazon.com, on verifying the signatures of SNS messages.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional, Sequence, Union

from hookvitals.key_fetch import HttpsFetch
from hookvitals.keyring import Keyring
from hookvitals.schemes.certificates import Certificate, certificate, known_certificate
from hookvitals.schemes.errors import (
    MALFORMED_SIGNATURE,
    MISSING_SIGNATURE,
    UNKNOWN_KEY,
    VerificationError,
)
from hookvitals.schemes.hmac_scheme import secret_bytes
from hookvitals.schemes.public_keys import need_crypto
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import (
    SNS_TOLERANCE_S,
    HeaderItems,
    Verified,
    from_base64,
    instant,
    secret_id,
    text_bytes,
    within,
)

CERTIFICATE_URL = (
    r"https://sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem"
)
_SUBJECT = re.compile(r"sns\.(?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?", re.ASCII)
_TOPIC = re.compile(rb"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}")
_HASHES = {"1": "sha1", "2": "sha256"}
_SUBSCRIBING = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _SUBSCRIBING,
    "UnsubscribeConfirmation": _SUBSCRIBING,
}


@dataclass(frozen=True)
class SnsScheme(Sender):
    """secrets: the ARNs of our topics. versions: of the signature that are taken; ("2",) leaves SHA-1 out."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    versions: Sequence[str] = ("1", "2")
    tolerance_s: float = SNS_TOLERANCE_S
    fetch: Optional[Callable[[str], bytes]] = field(default=None, repr=False)
    _topics: Dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _ring: Keyring[Certificate] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        need_crypto("Amazon SNS's RSA signature")
        topics = [secret_bytes(each) for each in self.secrets]
        if not topics or not all(_TOPIC.fullmatch(each) for each in topics):
            raise ValueError("the topic's ARN is needed, arn:aws:sns:<region>:<account>:<name>")
        if not self.versions or not set(self.versions) <= set(_HASHES):
            raise ValueError(f"versions are of {', '.join(_HASHES)}")
        object.__setattr__(self, "_topics", {each.decode(): secret_id(each) for each in topics})
        object.__setattr__(self, "_ring", Keyring(self.fetch or HttpsFetch(CERTIFICATE_URL), certificate))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless SNS signed this message of one of our topics."""
        message = _message(body)
        version = _text(message, "SignatureVersion")
        if version not in self.versions:
            raise VerificationError(MALFORMED_SIGNATURE, "the SignatureVersion is not one we take")
        given = from_base64(_text(message, "Signature"), "Signature")
        signed_at = instant(_text(message, "Timestamp"), "iso")
        content = _content(message)
        topic = self._topics.get(_text(message, "TopicArn"))
        if topic is None:
            raise VerificationError(UNKNOWN_KEY, "the topic is none of ours")
        found = known_certificate(self._ring, _text(message, "SigningCertURL"), CERTIFICATE_URL)
        found.check(_SUBJECT, now)
        found.require(given, content, _HASHES[version])
        return Verified(topic, within(signed_at, now, self.tolerance_s))


def _message(body: bytes) -> Dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise VerificationError(MALFORMED_SIGNATURE, "the body is not JSON") from exc
    if not isinstance(message, dict):
        raise VerificationError(MALFORMED_SIGNATURE, "the body is not a JSON object")
    if not message.get("Signature"):
        raise VerificationError(MISSING_SIGNATURE, "the body has no Signature")
    return message


def _content(message: Dict[str, Any]) -> bytes:
    names = _SIGNED.get(_text(message, "Type"))
    if names is None:
        raise VerificationError(MALFORMED_SIGNATURE, "the Type is not one that SNS signs")
    parts = [
        f"{name}\n{_text(message, name)}\n"
        for name in names
        if name != "Subject" or message.get(name) is not None
    ]
    return text_bytes("".join(parts))


def _text(message: Dict[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise VerificationError(MALFORMED_SIGNATURE, f"the body has no text {name}")
    return value
