"""What a Receiver can be told, with the source's profile filled in; wrong values are refused at once."""

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit

from hookvitals import capture
from hookvitals.addresses import Network, networks
from hookvitals.event import AND
from hookvitals.forensics import Forensics
from hookvitals.profile import CENTURY_S
from hookvitals.profiles import Profile, profile_of
from hookvitals.redact import Redact, redaction
from hookvitals.retry import RetryPolicy
from hookvitals.schemes import SCHEMES, Scheme, standard_key
from hookvitals.schemes.signed import secret_id
from hookvitals.subscriptions import Ask

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
    capture_rate: float
    redact: Optional[Redact] = field(repr=False)
    forensics: Forensics = field(repr=False)
    retry: RetryPolicy
    lease_s: float
    failures_per_minute: Optional[float]
    labels: Mapping[str, str]
    secrets: Tuple[Union[str, bytes], ...] = field(default=(), repr=False)
    hidden: Tuple[str, ...] = field(default=(), repr=False)
    """Secrets that no error text may carry."""
    verify_token: Optional[str] = field(default=None, repr=False)
    confirm_subscriptions: Union[bool, Ask] = False

    def secret_of(self, known_as: Optional[str]) -> Union[str, bytes]:
        """The secret of this id, as `Verified` names it; the first where none has it."""
        for secret in self.secrets:
            if secret_id(secret.encode() if isinstance(secret, str) else secret) == known_as:
                return secret
        return self.secrets[0]

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
    capture_rate: float,
    redact: Union[Redact, Sequence[str], None],
    previous_secrets: Sequence[Union[str, bytes]],
    other_environments: Optional[Mapping[str, Sequence[Union[str, bytes]]]],
    retry: Optional[RetryPolicy],
    lease_s: float,
    failures_per_minute: Optional[float],
    labels: Optional[Mapping[str, str]],
    verify_token: Optional[str] = None,
    confirm_subscriptions: Union[bool, Ask] = False,
    expects: Optional[Sequence[str]] = None,
) -> Settings:
    """The checked settings. Raises ValueError saying which argument is wrong and what it takes."""
    _names(source=source, endpoint=endpoint, environment=environment)
    if isinstance(secrets, (str, bytes)):
        raise ValueError("secrets is a list: several may be active while one is changed")
    profiled = _profiled(system or source, profile, expects)
    if failures_per_minute is not None and not failures_per_minute > 0:
        raise ValueError("failures_per_minute must be above 0; None switches the limit off")
    if max_body_bytes < 1:
        raise ValueError(f"max_body_bytes must be at least 1, not {max_body_bytes}")
    if not 0 < lease_s <= CENTURY_S:
        raise ValueError(f"lease_s must be above 0, a century at most, not {lease_s}")
    if capture_policy not in capture.POLICIES:
        raise ValueError(f"capture must be one of {', '.join(capture.POLICIES)}, not {capture_policy!r}")
    if not 0.0 <= capture_rate <= 1.0:
        raise ValueError(f"capture_rate must be a share from 0 to 1, not {capture_rate}")
    if isinstance(previous_secrets, (str, bytes)):
        raise ValueError("previous_secrets is a list, even of one")
    if public_url is not None and not _is_http(public_url):
        raise ValueError(f"public_url must be an http(s) address, not {public_url!r}")
    if replay_secret is not None:
        standard_key(replay_secret)
    scheme_settings = dict(profiled.scheme_settings)
    signs_time = SCHEMES[profiled.scheme].tolerance_s is not None
    if signs_time or any(name.startswith("timestamp_") for name in scheme_settings):
        scheme_settings.setdefault("tolerance_s", profiled.tolerance_s)
    listed = profiled.allowed_addresses.get(environment, ()) if allow_from is None else allow_from
    forensics = Forensics(
        (environment, source, endpoint),
        profiled.scheme,
        scheme_settings,
        secrets,
        previous=previous_secrets,
        elsewhere=other_environments,
    )
    retired = [*previous_secrets, *(one for theirs in (other_environments or {}).values() for one in theirs)]
    return Settings(
        source=source,
        endpoint=endpoint,
        environment=environment,
        profile=profiled,
        scheme=forensics.scheme,
        allowed=networks(listed),
        trusted_proxies=networks(trusted_proxies),
        public_url=public_url,
        replay_secret=replay_secret,
        max_body_bytes=max_body_bytes,
        capture_policy=capture_policy,
        capture_headers=(*capture_headers, *_header_paths(profiled)),
        capture_rate=capture_rate,
        redact=redaction(redact),
        forensics=forensics,
        retry=retry or RetryPolicy(),
        lease_s=lease_s,
        failures_per_minute=failures_per_minute,
        labels=_labels(labels or {}),
        secrets=tuple(secrets),
        hidden=_hidden((*secrets, *retired, *(one for one in (replay_secret, verify_token) if one))),
        verify_token=verify_token,
        confirm_subscriptions=confirm_subscriptions,
    )


def _profiled(system: str, changes: Mapping[str, Any], expects: Optional[Sequence[str]]) -> Profile:
    known = profile_of(system)
    if expects is not None:
        changes = {**changes, "expected_types": expects}
    try:
        return replace(known, **changes)
    except TypeError as exc:
        raise ValueError(f"profile has an unknown field, or one of the wrong type: {exc}") from exc


def _header_paths(profile: Profile) -> Tuple[str, ...]:
    """Headers that say which event it is: a capture without them could not be replayed."""
    paths = (
        profile.id_path,
        profile.type_path,
        profile.created_at_path,
        profile.resource_path,
        profile.version_path,
    )
    parts = [one for path in paths if path for one in path.split(AND)]
    return tuple(one[len("header:") :] for one in parts if one.startswith("header:"))


def _hidden(secrets: Sequence[Union[str, bytes]]) -> Tuple[str, ...]:
    """What no error text may carry, the longest first: each secret, and what follows its prefix."""
    texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in secrets]
    tails = [text.partition("_")[2] for text in texts if text.startswith("whsec_")]
    return tuple(sorted({*texts, *tails} - {""}, key=len, reverse=True))


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _names(**given: str) -> None:
    for name, text in given.items():
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST[name] or not text.isprintable():
            raise ValueError(f"{name} must be a text of 1 to {_LONGEST[name]} characters, not {text!r}")


def _labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    if len(labels) > _LABELS:
        raise ValueError(f"at most {_LABELS} labels, not {len(labels)}")
    return {str(name)[:64]: str(text)[:192] for name, text in labels.items()}
