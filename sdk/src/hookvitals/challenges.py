"""Questions with which a provider makes sure of an endpoint before it sends events, and our answers.

A challenge is asked after the signature held: nobody else gets an answer. It gives the JSON of the 200, or
an answer of another kind, or None where the request is an event like any other. A handshake comes unsigned
and is no POST: it gives nothing away but what was asked.
"""

import hashlib
import hmac
import re
from typing import Any, Callable, Dict, Mapping, Optional, Union
from urllib.parse import parse_qs, urlsplit

from hookvitals.answers import Answer, Refused
from hookvitals.request import Request
from hookvitals.schemes.signed import same, text_bytes

Challenge = Callable[[Any, Union[str, bytes]], Union[Dict[str, Any], Answer, None]]
"""(what the body says, the secret that verified) → the answer, or None."""
Handshake = Callable[[Request, Optional[str]], Optional[Answer]]
"""(the request, the receiver's `verify_token`) → the answer, or None for what is refused like any other."""
_LONGEST = 4096
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]{1,256}\Z", re.ASCII)
_MOST_FIELDS = 20


def slack(data: Any, secret: Union[str, bytes]) -> Optional[Dict[str, Any]]:
    """`url_verification`: the challenge itself."""
    challenge = _text(data, "challenge") if _text(data, "type") == "url_verification" else None
    return None if challenge is None else {"challenge": challenge}


def zoom(data: Any, secret: Union[str, bytes]) -> Optional[Dict[str, Any]]:
    """`endpoint.url_validation`: the token, and its HMAC-SHA256 under the secret in hex."""
    if _text(data, "event") != "endpoint.url_validation":
        return None
    token = _text(data.get("payload"), "plainToken")
    if token is None:
        return None
    key = secret.encode() if isinstance(secret, str) else secret
    mac = hmac.new(key, token.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return {"plainToken": token, "encryptedToken": mac.hexdigest()}


def discord(data: Any, secret: Union[str, bytes]) -> Union[Dict[str, Any], Answer, None]:
    """PING: of webhook events a 204, of interactions the PING itself."""
    kind = data.get("type") if isinstance(data, Mapping) and "event" not in data else None
    if isinstance(kind, bool) or kind not in (0, 1):
        return None
    return {"type": 1} if kind else Answer(204, [("Content-Type", "application/json")], b"")


def intercom(data: Any, secret: Union[str, bytes]) -> Optional[Dict[str, Any]]:
    """A ping, at setup and now and then: it has no id, so it can be no event."""
    return {} if _text(data, "topic") == "ping" and data.get("id") is None else None


def sns(data: Any, secret: Union[str, bytes]) -> Optional[Dict[str, Any]]:
    """What is about the subscription, not of the topic. A 200 confirms nothing: see `sns_subscribe_url`."""
    about = _text(data, "Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation")
    return {} if about else None


def sns_subscribe_url(data: Any) -> Optional[str]:
    """The address that confirms a subscription once it is asked."""
    return _text(data, "SubscribeURL") if _text(data, "Type") == "SubscriptionConfirmation" else None


def meta(request: Request, verify_token: Optional[str]) -> Optional[Answer]:
    """GET with `hub.challenge`: the challenge itself, where `hub.verify_token` is ours.

    Raises Refused(bad_signature) where it is another.
    """
    if request.method != "GET" or not verify_token:
        return None
    try:
        asked = parse_qs(urlsplit(request.url).query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    mode, token, challenge = (
        (asked.get(f"hub.{name}") or [""])[0] for name in ("mode", "verify_token", "challenge")
    )
    if mode != "subscribe" or not _PLAIN.match(challenge):
        return None
    if not same(text_bytes(token), text_bytes(verify_token)):
        raise Refused("bad_signature", "hub.verify_token is not this receiver's verify_token")
    headers = [("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff")]
    return Answer(200, headers, challenge.encode())


def head(request: Request, verify_token: Optional[str]) -> Optional[Answer]:
    """HEAD: there is somebody here."""
    return Answer(200, [("Content-Type", "application/json")], b"") if request.method == "HEAD" else None


def _text(data: Any, name: str) -> Optional[str]:
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, str) and len(found) <= _LONGEST else None
