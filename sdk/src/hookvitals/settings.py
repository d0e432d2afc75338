"""What a Receiver can be told, with the source's profile filled in; wrong values are refused at once."""

from dataclasses import dataclass, replace
from typing import Any, Mapping, Optional, Sequence, Tuple, Union

from hookvitals import capture
from hookvitals.addresses import Network, networks
from hookvitals.profiles import Profile, profile_of
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import Scheme, make, standard_key

DEFAULT_MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True)
class Settings:
    """Everything a Receiver works by. Built by `settings_for`."""

    source: str
    endpoint: str
    environment: str
    profile: Profile
    scheme: Scheme
    allowed: Tuple[Network, ...]
    trusted_proxies: Tuple[Network, ...]
    replay_secret: Optional[str]
    max_body_bytes: int
    capture_policy: str
    capture_headers: Tuple[str, ...]
    retry: RetryPolicy
    lease_s: float
    labels: Mapping[str, str]


def settings_for(
    source: str,
    *,
    endpoint: str,
    secrets: Sequence[Union[str, bytes]],
    system: Optional[str],
    environment: str,
    profile: Mapping[str, Any],
    allow_from: Optional[Sequence[str]],
    trusted_proxies: Sequence[str],
    replay_secret: Optional[str],
    max_body_bytes: int,
    capture_policy: str,
    capture_headers: Sequence[str],
    retry: Optional[RetryPolicy],
    lease_s: float,
    labels: Optional[Mapping[str, str]],
) -> Settings:
    """The checked settings. Raises ValueError saying which argument is wrong and what it takes."""
    known = profile_of(system or source)
    try:
        profiled = replace(known, **profile)
    except TypeError as exc:
        raise ValueError(f"profile has an unknown field: {exc}") from exc
    if capture_policy not in capture.POLICIES:
        raise ValueError(f"capture must be one of {', '.join(capture.POLICIES)}, not {capture_policy!r}")
    if replay_secret is not None:
        standard_key(replay_secret)
    scheme_settings = dict(profiled.scheme_settings)
    if profiled.scheme != "orum":
        scheme_settings.setdefault("tolerance_s", profiled.tolerance_s)
    listed = profiled.allowed_addresses.get(environment, ()) if allow_from is None else allow_from
    return Settings(
        source=source,
        endpoint=endpoint,
        environment=environment,
        profile=profiled,
        scheme=make(profiled.scheme, secrets, **scheme_settings),
        allowed=networks(listed),
        trusted_proxies=networks(trusted_proxies),
        replay_secret=replay_secret,
        max_body_bytes=max_body_bytes,
        capture_policy=capture_policy,
        capture_headers=tuple(capture_headers),
        retry=retry or RetryPolicy(),
        lease_s=lease_s,
        labels=dict(labels or {}),
    )
