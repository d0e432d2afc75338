"""Signed requests for tests and trials: what a provider would send, made with a secret of yours.

Where the provider has a private key (Orum, Discord, SendGrid, Standard Webhooks v1a) the secret is one of
your own, PEM, whose public half the receiver is given: nobody has theirs.
"""

import base64
import copy
import hmac
import inspect
import json
import time
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union
from urllib.parse import urlencode

from hookvitals.private_keys import PrivateKey, is_private, private_key
from hookvitals.profiles import Profile
from hookvitals.schemes import SCHEMES, Scheme, Verified, header_items, make
from hookvitals.schemes.header_scheme import HeaderScheme
from hookvitals.schemes.hmac_scheme import HmacScheme, hmac_keys
from hookvitals.schemes.orum import OrumScheme
from hookvitals.schemes.signed import stamp_of
from hookvitals.schemes.standard import StandardScheme
from hookvitals.secret import signable, source_profile

Headers = List[Tuple[str, str]]
Key = Union[str, bytes]

_HEADER, _BY_BODY = "header:", "body:sha256"
_FORMS = ("twilio",)
"""Schemes whose senders post forms."""
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
    if draft.profile.scheme == "adyen":
        return draft.headers, _body("adyen", _adyen_signed(draft.payload, secret))
    signer = _Signer(draft.profile, secret, settings or {})
    body = _body(draft.profile.scheme, signer.stamped(draft.payload, at))
    return _merged(draft.headers, signer.headers(body, at, event_id, url, method)), body


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
    if draft.profile.scheme == "adyen":
        raise ValueError("Adyen's standard webhooks carry the signature in the body")
    signer = _Signer(draft.profile, secret, settings or {})
    return _merged(draft.headers, signer.headers(body, at, event_id, url, method)), body


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
    profile = source_profile(system)
    if profile.scheme == "adyen":
        return False
    signer = _Signer(profile, secret, settings or {})
    return signer.verified(headers, body, now, url).signed_at is not None


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
    return draft.headers, _body(draft.profile.scheme, draft.payload)


# --- what an event looks like before it is signed ---


@dataclass(frozen=True)
class _Draft:
    profile: Profile
    headers: Headers
    payload: Dict[str, Any]


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
    headers = [("Content-Type", _FORM if profile.scheme in _FORMS else _JSON)]
    for path, value in places:
        if path and path.startswith(_HEADER):
            headers.append((path[len(_HEADER) :], value))
        elif path and path != _BY_BODY:
            put(payload, path, value)
    if profile.id_path == _BY_BODY or profile.id_path.startswith(_HEADER):
        put(payload, "id", event_id)
    return _Draft(profile, headers, payload)


def put(payload: Dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        payload = payload.setdefault(name, {})
    payload.setdefault(last, value)


def _body(scheme: str, payload: Mapping[str, Any]) -> bytes:
    return (urlencode(payload) if scheme in _FORMS else json.dumps(payload)).encode()


def _merged(headers: Headers, signed: Sequence[Tuple[str, str]]) -> Headers:
    """Each header once; what was signed counts."""
    names = {name.lower() for name, _ in signed}
    return [*(pair for pair in headers if pair[0].lower() not in names), *signed]


# --- the signature ---


class _Signer:
    """Signs as a profile's scheme says, with a shared secret or a private key."""

    def __init__(self, profile: Profile, secret: Key, settings: Mapping[str, Any]) -> None:
        self._key: Optional[PrivateKey] = None
        verifying = secret
        if SCHEMES[profile.scheme].extra == "crypto":
            self._key = _private(profile.name, secret)
            verifying = self._key.public
        elif profile.scheme in _WITH_V1A and is_private(secret):
            self._key = private_key(secret)
            verifying = "whpk_" + base64.b64encode(bytes.fromhex(self._key.public)).decode()
        try:
            self._scheme: Scheme = make(
                profile.scheme, [verifying], **{**profile.scheme_settings, **settings}
            )
        except TypeError as exc:
            raise ValueError(
                f"{profile.scheme} has not all of these settings: {', '.join(settings)}"
            ) from exc

    def stamped(self, payload: Dict[str, Any], at: float) -> Dict[str, Any]:
        """With the time that stands in the body, where the scheme has it there."""
        scheme = self._scheme
        if not isinstance(scheme, HeaderScheme) or not scheme.timestamp_field:
            return payload
        stamp = stamp_of(at, scheme.timestamp_unit)
        return {**payload, scheme.timestamp_field: int(stamp) if stamp.isdigit() else stamp}

    def verified(self, headers: Headers, body: bytes, at: float, url: str) -> Verified:
        return self._scheme.verify(header_items(headers), body, at, url)

    def headers(self, body: bytes, at: float, event_id: str, url: str, method: str) -> Headers:
        scheme = self._scheme
        if self._key is None:
            return _signed_by(scheme, body, at, event_id, url, method)
        if isinstance(scheme, HeaderScheme):
            twin = _PrivateScheme(**_settings_of(scheme), private=self._key)
            return _signed_by(twin, body, at, event_id, url, method)
        if isinstance(scheme, StandardScheme):
            return _standard_v1a(scheme, self._key, body, at, event_id)
        assert isinstance(scheme, OrumScheme)
        return _orum(scheme, self._key, body)


def _private(system: str, secret: Key) -> PrivateKey:
    if not is_private(secret):
        raise ValueError(
            f"to sign like {system} give a private key of your own, PEM without password: "
            f"`python -m hookvitals secret new --scheme {system}` makes one"
        )
    return private_key(secret)


@dataclass(frozen=True)
class _PrivateScheme(HmacScheme):
    """Lays a signature out as its public twin reads it; made with a private key in place of an HMAC."""

    secrets: Sequence[Key] = field(default=("unused",), repr=False)
    private: Optional[PrivateKey] = None

    def _mac(self, key: bytes, content: bytes) -> bytes:
        assert self.private is not None
        return self.private.sign(content)


def _settings_of(scheme: HeaderScheme) -> Dict[str, Any]:
    names = [each.name for each in fields(HeaderScheme) if each.init and each.name != "secrets"]
    return {name: getattr(scheme, name) for name in names}


def _signed_by(scheme: Any, body: bytes, at: float, event_id: str, url: str, method: str) -> Headers:
    """With as much of the request as this scheme signs."""
    sign: Callable[..., Headers] = scheme.sign
    offered = {"message_id": event_id, "url": url, "method": method}
    taken = inspect.signature(sign).parameters
    return sign(body, at, **{name: value for name, value in offered.items() if name in taken})


def _standard_v1a(scheme: StandardScheme, key: PrivateKey, body: bytes, at: float, event_id: str) -> Headers:
    stamp = stamp_of(at, "s")
    signature = base64.b64encode(key.sign(f"{event_id}.{stamp}.".encode() + body)).decode()
    prefix = scheme.header_prefix
    values = {"id": event_id, "timestamp": stamp, "signature": f"v1a,{signature}"}
    return [(f"{prefix}-{name}", value) for name, value in values.items()]


def _orum(scheme: OrumScheme, key: PrivateKey, body: bytes) -> Headers:
    """Over the body and the text of its created_at."""
    try:
        content = body + str(json.loads(body)["created_at"]).encode()
    except (ValueError, TypeError, KeyError):
        raise ValueError("Orum signs created_at, which this body has not") from None
    return [(scheme.header, base64.b64encode(key.sign(content)).decode())]


# --- Adyen, whose signature stands in the body ---


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


def _adyen_signed(payload: Dict[str, Any], secret: Key) -> Dict[str, Any]:
    """The same, its one item with its hmacSignature."""
    payload = copy.deepcopy(payload)
    item = payload["notificationItems"][0]["NotificationRequestItem"]
    amount = item["amount"]
    content = ":".join(
        str(value)
        for value in (
            item["pspReference"],
            item.get("originalReference", ""),
            item["merchantAccountCode"],
            item["merchantReference"],
            amount["value"],
            amount["currency"],
            item["eventCode"],
            item["success"],
        )
    )
    ((_, key),) = hmac_keys([secret], "hex")
    mac = hmac.digest(key, content.encode(), "sha256")
    item.setdefault("additionalData", {})["hmacSignature"] = base64.b64encode(mac).decode()
    return payload
