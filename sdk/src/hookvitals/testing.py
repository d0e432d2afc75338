"""Signed requests for tests and trials: what a provider would send, made with a secret of yours.

For Orum the secret is a private RSA key of your own (PEM), whose public half the receiver is given: nobody
has Orum's.
"""

import base64
import json
import time
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from hookvitals.profiles import Profile, profile_of
from hookvitals.schemes import MissingDependency, make

Headers = List[Tuple[str, str]]


def signed_request(
    system: str,
    secret: Union[str, bytes],
    event_id: str,
    event_type: str,
    data: Optional[Mapping[str, Any]] = None,
    *,
    now: Optional[float] = None,
    settings: Optional[Mapping[str, Any]] = None,
) -> Tuple[Headers, bytes]:
    """(headers, body) of one event as `system` would send it.

    data: the body's other fields; id, type and time are put where the system has them, unless they are
    there. now: seconds since 1970 that it is signed at. settings: of the scheme, e.g. {"header": "X-Sig"}.
    Raises ValueError for a secret that cannot sign.
    """
    profile = profile_of(system)
    at = time.time() if now is None else now
    payload: Dict[str, Any] = json.loads(json.dumps(dict(data or {})))
    by_header = profile.id_path.startswith("header:")
    _put(payload, "id" if by_header else profile.id_path, event_id)
    _put(payload, profile.type_path, event_type)
    if profile.created_at_path:
        stamp = datetime.fromtimestamp(at, tz=timezone.utc).isoformat(timespec="milliseconds")
        _put(payload, profile.created_at_path, stamp.replace("+00:00", "Z"))
    body = json.dumps(payload).encode()
    headers = _signed(profile, secret, body, at, event_id if by_header else None, settings or {})
    return [("Content-Type", "application/json"), *headers], body


def _signed(
    profile: Profile,
    secret: Union[str, bytes],
    body: bytes,
    at: float,
    message_id: Optional[str],
    settings: Mapping[str, Any],
) -> Headers:
    if profile.scheme == "orum":
        return [("Signature", _rsa_signature(secret, body))]
    scheme: Any = make(profile.scheme, [secret], **{**profile.scheme_settings, **settings})
    signed: Headers = scheme.sign(body, at) if message_id is None else scheme.sign(body, at, message_id)
    return signed


def _rsa_signature(private_key: Union[str, bytes], body: bytes) -> str:
    """As Orum signs: over the body and the text of its created_at."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  # the crypto extra
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    except ImportError as exc:
        raise MissingDependency("Orum's RSA signatures need: pip install 'hookvitals[crypto]'") from exc
    raw = private_key.encode() if isinstance(private_key, str) else private_key
    try:
        key = serialization.load_pem_private_key(raw, password=None)
    except (ValueError, TypeError) as exc:
        raise ValueError(
            "to sign like Orum give a private RSA key of your own, PEM without password"
        ) from exc
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("to sign like Orum the key must be an RSA key")
    content = body + str(json.loads(body)["created_at"]).encode()
    return base64.b64encode(key.sign(content, padding.PKCS1v15(), hashes.SHA256())).decode()


def _put(payload: Dict[str, Any], path: str, value: str) -> None:
    *parents, last = path.split(".")
    for name in parents:
        payload = payload.setdefault(name, {})
    payload.setdefault(last, value)
