"""A shared token sent as it is in a header: GitLab. It proves who knows it, and nothing about the body."""

import hmac
from dataclasses import dataclass, field
from typing import List, Sequence, Tuple, Union

from hookvitals.schemes.errors import BAD_SIGNATURE, VerificationError
from hookvitals.schemes.hmac_scheme import hmac_keys
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import HeaderItems, Verified, only, same, text_bytes

_COMPARED_UNDER = b"hookvitals token"


@dataclass(frozen=True)
class TokenScheme(Sender):
    """secrets: the tokens that may be sent."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    header: str = "X-Gitlab-Token"
    _keys: Tuple[Tuple[str, bytes], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        keys = hmac_keys(self.secrets, "text")
        object.__setattr__(self, "_keys", tuple((name, _digest(token.strip())) for name, token in keys))

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless the token is one of ours."""
        given = _digest(text_bytes(only(headers, self.header)))
        for name, token in self._keys:
            if same(token, given):
                return Verified(name)
        raise VerificationError(BAD_SIGNATURE, "the token is none of ours")

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The header a provider would send."""
        first = self.secrets[0]
        return [(self.header, first.decode() if isinstance(first, bytes) else first)]


def _digest(token: bytes) -> bytes:
    """Compared in place of the token, so that not even its length shows in the time taken."""
    return hmac.digest(_COMPARED_UNDER, token, "sha256")
