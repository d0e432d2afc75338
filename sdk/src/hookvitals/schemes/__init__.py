"""Signature schemes by name: `make(name, secrets)` gives something that verifies, and signs where it can."""

from typing import Any, List, Protocol, Sequence, Tuple, Union

from hookvitals.schemes.errors import MissingDependency, VerificationError
from hookvitals.schemes.signed import HeaderItems, Verified, header_items
from hookvitals.schemes.standard import standard_key, standard_signature
from hookvitals.schemes.table import SCHEMES

__all__ = [
    "SCHEMES",
    "HeaderItems",
    "MissingDependency",
    "Scheme",
    "VerificationError",
    "Verified",
    "header_items",
    "make",
    "standard_key",
    "standard_signature",
]


class Scheme(Protocol):
    """One provider's way to sign."""

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """now: seconds since 1970. url, method: as the sender used them; some sign these, too.

        Raises VerificationError, and never anything else, whatever was sent.
        """

    def completed(self, body: bytes, now: float) -> bytes:
        """The body with what the provider itself writes there: a time, or the signature; else as it is.

        Raises ValueError for a body that has no place for it.
        """

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The headers a provider would send with a completed body. url, method: as in `verify`.

        Raises ValueError where only the provider can sign, or the body has not what is signed.
        """


def make(name: str, secrets: Sequence[Union[str, bytes]], **settings: Any) -> Scheme:
    """The scheme of this name. Raises ValueError for an unknown name or a secret that cannot be one."""
    if name not in SCHEMES:
        raise ValueError(f"unknown signature scheme {name!r}; known are {', '.join(sorted(SCHEMES))}")
    if isinstance(secrets, (str, bytes)):  # each of its letters would be a secret of its own
        raise ValueError("secrets is a list, even of one: [secret]")
    scheme: Scheme = SCHEMES[name].build(secrets, **settings)
    return scheme
