"""The sender's side of a scheme, for trials: what a provider adds to a body, and the headers it sends along.

Never used to verify. Unless a scheme says otherwise, a body is sent as it is, and only the provider can sign.
"""

from contextlib import contextmanager
from typing import Iterator, List, Tuple

from hookvitals.schemes.errors import VerificationError, only_the_provider
from hookvitals.schemes.signed import HeaderItems, Verified


class Sender:
    """What every scheme has besides `verify`."""

    def completed(self, body: bytes, now: float) -> bytes:
        """The body with what the provider itself writes there: a time, or the signature.

        Raises ValueError for a body that has no place for it.
        """
        return body

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The headers a provider would send with this body, made with the first secret.

        Raises ValueError where only the provider can sign, or the body has not what is signed.
        """
        raise only_the_provider("so")


class BodySender(Sender):
    """A sender whose signature stands in the body: `completed` puts it there, no header is sent."""

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        raise NotImplementedError

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """None. Raises ValueError for a body that is not completed: it would go out unsigned."""
        with refused_bodies():
            self.verify([], body, now)
        return []


@contextmanager
def refused_bodies() -> Iterator[None]:
    """What is no fault of a request is a fault of the caller: VerificationError becomes ValueError."""
    try:
        yield
    except VerificationError as exc:
        raise ValueError(f"this body cannot be signed as it is: {exc.detail}") from exc
