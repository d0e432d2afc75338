"""What a Receiver can be told, with the source's profile filled in; wrong values are refused at once."""

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Optional, Sequence, Tuple, Union

from hookvitals import capture
from hookvitals.addresses import Network, networks
from hookvitals.profiles import Profile, profile_of
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import Scheme, make, standard_key

DEFAULT_MAX_BODY_BYTES = 1 << 20
_LONGEST = {"source": 64, "endpoint": 128, "environment": 32}
_LABELS = 16
SEPARATOR = "\x1f"
"""Stands in no name, so that no two receivers can make the same key."""


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
    public_url: Optional[str]
    replay_secret: Optional[str] = field(repr=False)
    max_body_bytes: int
    capture_policy: str
    capture_headers: Tuple[str, ...]
    retry: RetryPolicy
    lease_s: float
    failures_per_minute: Optional[float]
    labels: Mapping[str, str]
    hidden: Tuple[str, ...] = field(default=(), repr=False)
    """Secrets that no error text may carry."""

    @property
    def scope(self) -> str:
        """What sets this receiver's events apart in a state shared by several."""
        return SEPARATOR.join((self.environment, self.source, self.endpoint))


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
    public_url: Optional[str],
    replay_secret: Optional[str],
    max_body_bytes: int,
    capture_policy: str,
    capture_headers: Sequence[str],
    retry: Optional[RetryPolicy],
    lease_s: float,
    failures_per_minute: Optional[float],
    labels: Optional[Mapping[str, str]],
) -> Settings:
    """The checked settings. Raises ValueError saying which argument is wrong and what it takes."""
    _names(source=source, endpoint=endpoint, environment=environment)
    if isinstance(secrets, (str, bytes)):
        raise ValueError("secrets is a list: several may be active while one is changed")
    known = profile_of(system or source)
    try:
        profiled = replace(known, **profile)
    except TypeError as exc:
        raise ValueError(f"profile has an unknown field: {exc}") from exc
    status = profiled.ack_status
    if not isinstance(status, int) or not 200 <= status <= 299:
        raise ValueError(f"ack_status must be a number from 200 to 299, not {status!r}")
    if profiled.rate_per_minute is not None and profiled.rate_per_minute <= 0:
        raise ValueError("rate_per_minute must be above 0; None switches the limit off")
    if failures_per_minute is not None and failures_per_minute <= 0:
        raise ValueError("failures_per_minute must be above 0; None switches the limit off")
    if max_body_bytes < 1:
        raise ValueError(f"max_body_bytes must be at least 1, not {max_body_bytes}")
    if lease_s <= 0:
        raise ValueError(f"lease_s must be above 0, not {lease_s}")
    if capture_policy not in capture.POLICIES:
        raise ValueError(f"capture must be one of {', '.join(capture.POLICIES)}, not {capture_policy!r}")
    if public_url is not None and not public_url.startswith(("http://", "https://")):
        raise ValueError(f"public_url must be an http(s) address, not {public_url!r}")
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
        public_url=public_url,
        replay_secret=replay_secret,
        max_body_bytes=max_body_bytes,
        capture_policy=capture_policy,
        capture_headers=(*capture_headers, *_header_paths(profiled)),
        retry=retry or RetryPolicy(),
        lease_s=lease_s,
        failures_per_minute=failures_per_minute,
        labels=_labels(labels or {}),
        hidden=_hidden((*secrets, *([replay_secret] if replay_secret else ()))),
    )


def _header_paths(profile: Profile) -> Tuple[str, ...]:
    """Headers that say which event it is: a capture without them could not be replayed."""
    paths = (
        profile.id_path,
        profile.type_path,
        profile.created_at_path,
        profile.resource_path,
        profile.version_path,
    )
    return tuple(path[len("header:") :] for path in paths if path and path.startswith("header:"))


def _hidden(secrets: Sequence[Union[str, bytes]]) -> Tuple[str, ...]:
    """What no error text may carry, the longest first: each secret, and what follows its prefix."""
    texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in secrets]
    tails = [text.partition("_")[2] for text in texts if text.startswith("whsec_")]
    return tuple(sorted({*texts, *tails} - {""}, key=len, reverse=True))


def _names(**given: str) -> None:
    for name, text in given.items():
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST[name] or not text.isprintable():
            raise ValueError(f"{name} must be a text of 1 to {_LONGEST[name]} characters, not {text!r}")


def _labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    if len(labels) > _LABELS:
        raise ValueError(f"at most {_LABELS} labels, not {len(labels)}")
    return {str(name)[:64]: str(text)[:192] for name, text in labels.items()}
