"""Questions with which a provider makes sure of an endpoint before it sends events, and our answers.

Asked after the signature held: nobody else gets an answer. Each function gives the body of the 200, or None
where the request is an event like any other.
"""

import hashlib
import hmac
from typing import Any, Callable, Dict, Mapping, Optional, Union

Challenge = Callable[[Any, Union[str, bytes]], Optional[Dict[str, Any]]]
"""(the JSON body, the secret that verified) → the answer's body, or None."""
_LONGEST = 4096


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


def _text(data: Any, name: str) -> Optional[str]:
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, str) and len(found) <= _LONGEST else None
