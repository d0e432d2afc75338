"""From what a verified body says to an event: id, type, time, resource, version, where the profile says.

What cannot be an event is refused with a reason. Never looks at a signature.
"""

import hashlib
from typing import Any, Dict, Optional

from hookvitals.answers import Refused
from hookvitals.bodies import Part
from hookvitals.capture import kept_headers
from hookvitals.event import AND, Event, found_at, instant_us
from hookvitals.ordering import rank
from hookvitals.profiles import Profile
from hookvitals.request import Request
from hookvitals.settings import Settings

BODY_DIGEST = "body:sha256"
_NAME_CHARS = 256
_INT64 = 1 << 63


def parsed(request: Request, part: Part, settings: Settings, replay_id: Optional[str]) -> Event:
    """The event of this part of a request. Raises Refused(invalid_payload)."""
    profile = settings.profile
    return Event(
        _name(profile.id_path, part, request),
        _name(profile.type_path, part, request),
        part.data,
        part.body,
        sorted(kept_headers(request.headers, settings.capture_headers).items()),
        request.at_us,
        replay_id=replay_id,
        fields=_order_fields(profile, part.data, request),
    )


def check_age(event: Event, profile: Profile, now_us: int) -> None:
    """Raises Refused for an event whose own time is older than the profile lets it be, or lies ahead.

    A time that is missing or none is refused, too: what cannot be read would pass every comparison.
    """
    if profile.max_age_s is None or profile.created_at_path is None:
        return
    created_us = event.fields.get("event_created_at")
    if created_us is None:
        raise Refused("invalid_payload", f"{profile.created_at_path} is missing, or no instant")
    age_s = (now_us - created_us) / 1e6
    if age_s > profile.max_age_s:
        raise Refused("timestamp_too_old", f"{profile.created_at_path} is {age_s:.0f} s old")
    if age_s < -profile.tolerance_s:
        raise Refused("timestamp_in_future", f"{profile.created_at_path} is {-age_s:.0f} s ahead")


def _name(path: str, part: Part, request: Request) -> str:
    """The text at the path; of several, joined by `+`, their texts joined by dots."""
    texts = [_text(one, part, request) for one in (path.split(AND) if AND in path else (path,))]
    text = ".".join(texts)
    if not all(texts) or len(text) > _NAME_CHARS or not text.isprintable():
        raise Refused("invalid_payload", f"{path} is missing, or not a text of 1 to {_NAME_CHARS} characters")
    return text


def _text(path: str, part: Part, request: Request) -> str:
    if path == BODY_DIGEST:
        return hashlib.sha256(part.own).hexdigest()
    found = found_at(path, part.data, request.headers)
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""


def _order_fields(profile: Profile, data: Any, request: Request) -> Dict[str, Any]:
    fields: Dict[str, Any] = {}
    created_us = instant_us(found_at(profile.created_at_path, data, request.headers))
    if created_us is not None:
        fields["event_created_at"] = created_us
    resource = found_at(profile.resource_path, data, request.headers)
    version = found_at(profile.version_path, data, request.headers)
    if isinstance(resource, (str, int)) and not isinstance(resource, bool):
        text = str(resource)
        if 0 < len(text) <= _NAME_CHARS and text.isprintable():
            fields["resource"] = text  # also without a version: two events of it never run at once
            if rank(version) is not None:
                big = isinstance(version, int) and not -_INT64 <= version < _INT64
                fields["version"] = str(version) if big else version
    return fields
