"""Signed requests for tests and trials: what a provider would send, made with a secret of yours."""

import json
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from hookvitals.profiles import profile_of
from hookvitals.schemes import make


def signed_request(
    system: str,
    secret: Union[str, bytes],
    event_id: str,
    event_type: str,
    data: Optional[Dict[str, Any]] = None,
    *,
    now: Optional[float] = None,
    settings: Optional[Dict[str, Any]] = None,
) -> Tuple[List[Tuple[str, str]], bytes]:
    """(headers, body) of one event as `system` would send it. Raises ValueError where only the provider can.

    now: seconds since 1970 that it is signed at. settings: of the scheme, e.g. {"header": "X-Sig"}.
    """
    profile = profile_of(system)
    at = time.time() if now is None else now
    payload: Dict[str, Any] = {**(data or {})}
    header_id = profile.id_path.startswith("header:")
    _put(payload, "id" if header_id else profile.id_path, event_id)
    _put(payload, profile.type_path, event_type)
    body = json.dumps(payload).encode()
    scheme = make(profile.scheme, [secret], **{**profile.scheme_settings, **(settings or {})})
    headers = _signed(scheme, body, at, event_id if header_id else None)
    return [("Content-Type", "application/json"), *headers], body


def _signed(scheme: Any, body: bytes, at: float, message_id: Optional[str]) -> Sequence[Tuple[str, str]]:
    headers: Sequence[Tuple[str, str]] = (
        scheme.sign(body, at) if message_id is None else scheme.sign(body, at, message_id)
    )
    return headers


def _put(payload: Dict[str, Any], path: str, value: str) -> None:
    *parents, last = path.split(".")
    for name in parents:
        payload = payload.setdefault(name, {})
    payload.setdefault(last, value)
