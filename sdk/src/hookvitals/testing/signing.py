"""Signed requests for tests and trials: what a provider would send, made with a secret of yours.

Where the provider has a private key (Orum, Discord, SendGrid, Standard Webhooks v1a) the secret is one of
your own, PEM, whose public half the receiver is given: nobody has theirs.
"""

import base64
import json
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union
from urllib.parse import urlencode

from hookvitals.bodies import FORM, WHOLE
from hookvitals.event import AND
from hookvitals.private_keys import PrivateKey, is_private, private_key
from hookvitals.profiles import Profile
from hookvitals.schemes import SCHEMES, Scheme, header_items, make
from hookvitals.secret import signable, source_profile

Headers = List[Tuple[str, str]]
Key = Union[str, bytes]

_HEADER, _BY_BODY = "header:", "body:sha256"
_WITH_V1A = ("standard", "svix", "openai")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


def signed_request(
    system: str,
    secret: Key,
    event_id: str,
    event_type: str,
    data: Optional[Mapping[str, Any]] = None,
    *,
    now: Optional[float] = None,
    settings: Optional[Mapping[str, Any]] = None,
    url: str = "",
    method: str = "POST",
) -> Tuple[Headers, bytes]:
    """(headers, body) of one event as `system`, a profile or a scheme, would send it.

    data: the body's other fields; id, type and time are put where the system has them, unless they are
    there. now: seconds since 1970 that it is signed at. settings: of the scheme, e.g. {"header": "X-Sig"}.
    url, method: for schemes that sign them (Twilio, Square, HubSpot), as the receiver knows them.
    Raises ValueError for a secret that cannot sign, or where only the provider can.
    """
    at = time.time() if now is None else now
    draft = _draft(signable(system).name, event_id, event_type, data, at)
    sender = _sender(draft.profile, secret, settings or {})
    body = sender.completed(draft.body(), at)
    return _merged(draft.headers, sender.sign(body, at, event_id, url=url, method=method)), body


def signed_body(
    system: str,
    secret: Key,
    body: bytes,
    event_id: str,
    event_type: str,
    *,
    now: Optional[float] = None,
    settings: Optional[Mapping[str, Any]] = None,
    url: str = "",
    method: str = "POST",
) -> Tuple[Headers, bytes]:
    """The same for a body of yours, as it is: broken JSON, say, or a request that was kept.

    Raises ValueError besides where the scheme signs parts of the JSON that are not there.
    """
    at = time.time() if now is None else now
    draft = _draft(signable(system).name, event_id, event_type, None, at)
    sender = _sender(draft.profile, secret, settings or {})
    return _merged(draft.headers, sender.sign(body, at, event_id, url=url, method=method)), body


def signs_time(
    system: str,
    secret: Key,
    event_type: str = "test.event",
    settings: Optional[Mapping[str, Any]] = None,
    url: str = "",
) -> bool:
    """Whether what this system signs holds for a time alone. Raises ValueError as `signed_request`."""
    now = time.time()
    headers, body = signed_request(system, secret, "evt", event_type, now=now, settings=settings, url=url)
    sender = _sender(source_profile(system), secret, settings or {})
    return sender.verify(header_items(headers), body, now, url).signed_at is not None


def unsigned_request(
    system: str,
    event_id: str,
    event_type: str,
    data: Optional[Mapping[str, Any]] = None,
    *,
    now: Optional[float] = None,
) -> Tuple[Headers, bytes]:
    """The same without any signature."""
    draft = _draft(system, event_id, event_type, data, time.time() if now is None else now)
    return draft.headers, draft.body()


# --- what an event looks like before it is signed ---


@dataclass(frozen=True)
class _Draft:
    profile: Profile
    headers: Headers
    payload: Dict[str, Any]

    def body(self) -> bytes:
        path = self.profile.events_path
        if self.profile.body == FORM:
            return urlencode(self.payload).encode()
        if path is None or self.profile.scheme == "adyen":
            return json.dumps(self.payload).encode()
        listed: Dict[str, Any] = {}
        if path != WHOLE:
            put(listed, path, [self.payload])
        return json.dumps(listed or [self.payload]).encode()


def _draft(
    system: str, event_id: str, event_type: str, data: Optional[Mapping[str, Any]], at: float
) -> _Draft:
    profile = source_profile(system)
    stamp = datetime.fromtimestamp(at, tz=timezone.utc).isoformat(timespec="milliseconds")
    places = [
        (profile.id_path, event_id),
        (profile.type_path, event_type),
        (profile.created_at_path, stamp.replace("+00:00", "Z")),
    ]
    payload: Dict[str, Any] = json.loads(json.dumps(dict(data or {})))
    if profile.scheme == "adyen":
        return _Draft(profile, [("Content-Type", _JSON)], _adyen_payload(payload, event_id, event_type))
    headers = [("Content-Type", _FORM if profile.body == FORM else _JSON)]
    for path, value in _each(places):
        if path.startswith(_HEADER):
            headers.append((path[len(_HEADER) :], value))
        elif path != _BY_BODY:
            put(payload, path, value)
    if profile.id_path == _BY_BODY or profile.id_path.startswith(_HEADER):
        put(payload, "id", event_id)
    return _Draft(profile, headers, payload)


def _each(places: Sequence[Tuple[Optional[str], str]]) -> Iterator[Tuple[str, str]]:
    """Path by path; of those that make one name together the first has it, and the others are 1."""
    for paths, value in places:
        for at, path in enumerate(paths.split(AND) if paths else ()):
            yield path, "1" if at else value


def put(payload: Dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        payload = payload.setdefault(name, {})
    payload.setdefault(last, value)


def _merged(headers: Headers, signed: Sequence[Tuple[str, str]]) -> Headers:
    """Each header once; what was signed counts."""
    names = {name.lower() for name, _ in signed}
    return [*(pair for pair in headers if pair[0].lower() not in names), *signed]


# --- who signs it ---


def _sender(profile: Profile, secret: Key, settings: Mapping[str, Any]) -> Scheme:
    """The profile's scheme as it signs and verifies with this secret: shared, or a private key of our own."""
    given = {**profile.scheme_settings, **settings}
    versioned = profile.scheme in _WITH_V1A
    if SCHEMES[profile.scheme].extra == "crypto" or (versioned and is_private(secret)):
        key = _private(profile.name, secret)
        secret = "whpk_" + base64.b64encode(bytes.fromhex(key.public)).decode() if versioned else key.public
        given["signer"] = key.sign
    try:
        return make(profile.scheme, [secret], **given)
    except TypeError as exc:
        raise ValueError(f"{profile.scheme} has not all of these settings: {', '.join(settings)}") from exc


def _private(system: str, secret: Key) -> PrivateKey:
    if not is_private(secret):
        raise ValueError(
            f"to sign like {system} give a private key of your own, PEM without password: "
            f"`python -m hookvitals secret new --scheme {system}` makes one"
        )
    return private_key(secret)


def _adyen_payload(data: Mapping[str, Any], event_id: str, event_type: str) -> Dict[str, Any]:
    item: Dict[str, Any] = {
        "pspReference": event_id,
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "test",
        "amount": {"value": 1000, "currency": "EUR"},
        "eventCode": event_type,
        "success": "true",
        **data,
    }
    return {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
