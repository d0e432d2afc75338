"""Fresh secrets in the form that a source's scheme takes: for trials, and for senders of your own.

Where the provider signs with a private key, a pair of your own stands in for it. Nothing is kept or logged.
"""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any, Optional

from hookvitals.private_keys import new_private_key, private_key
from hookvitals.profiles import PROFILES, Profile
from hookvitals.schemes import SCHEMES, make
from hookvitals.schemes.errors import only_the_provider

_BYTES = 32
_STANDARD = ("standard", "svix", "openai", "scalekit")
PROVIDER_ALONE = ("paypal", "plaid", "sns", "truelayer")
"""Schemes whose keys are fetched from the provider, so that no key of one's own can stand in."""
_ALGORITHMS = ("ed25519", "ecdsa", "rsa")


@dataclass(frozen=True)
class Secret:
    """signing: what the sender signs with. verifying: what the receiver is given; the same if shared."""

    signing: str = field(repr=False)
    verifying: str = field(repr=False)

    @property
    def is_shared(self) -> bool:
        return self.signing == self.verifying


def source_profile(system: str) -> Profile:
    """The profile of a source system, or a plain one for a scheme that has none. Raises ValueError."""
    if system in PROFILES:
        return PROFILES[system]
    if system in SCHEMES:
        return Profile(system, scheme=system)
    raise ValueError(
        f"unknown source system {system!r}; known are {', '.join(sorted({*PROFILES, *SCHEMES}))}"
    )


def signable(system: str) -> Profile:
    """The same where somebody else than the provider can sign. Raises ValueError that says what helps."""
    profile = source_profile(system)
    if profile.scheme in PROVIDER_ALONE:
        raise only_the_provider(f"like {system}")
    return profile


def new_secret(system: str) -> Secret:
    """A fresh one. Raises ValueError where only the provider can sign, MissingDependency without `crypto`."""
    profile = signable(system)
    if profile.scheme in _STANDARD:
        shared = "whsec_" + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
        return Secret(shared, shared)
    shared = secrets.token_hex(_BYTES)  # read alike as text and as hexadecimal
    if SCHEMES[profile.scheme].extra != "crypto" and _refusal(profile, shared) is None:
        return Secret(shared, shared)
    for algorithm in _ALGORITHMS:
        pem = new_private_key(algorithm)
        public = private_key(pem).public
        if _refusal(profile, public) is None:
            return Secret(pem, public)
    raise ValueError(f"{system} takes no secret that could be made here: {_refusal(profile, shared)}")


def _refusal(profile: Profile, verifying: Any) -> Optional[str]:
    """Why the scheme does not take this; None where it does."""
    try:
        make(profile.scheme, [verifying], **profile.scheme_settings)
    except ValueError as exc:
        return str(exc)
    return None
