"""Scalekit sends one of two forms; the header's shape says which, and the other is then not tried.

Its SDK's form is Standard Webhooks; its guide's is `t=<seconds>,v1=<hex>` under the secret as text, in
`webhook-signature` or `scalekit-signature`.
"""

from dataclasses import dataclass, field
from typing import List, Sequence, Tuple, Union

from hookvitals.schemes.hmac_scheme import TIMESTAMPED, HmacScheme
from hookvitals.schemes.signed import DEFAULT_TOLERANCE_S, HeaderItems, Verified
from hookvitals.schemes.standard import StandardScheme

_GUIDE_HEADERS = ("scalekit-signature", "webhook-signature")


@dataclass(frozen=True)
class ScalekitScheme:
    """Both forms under the same secrets."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    tolerance_s: float = DEFAULT_TOLERANCE_S

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless the form that was sent holds."""
        for name in _GUIDE_HEADERS:
            if any(found == name and value.lstrip().startswith("t=") for found, value in headers):
                return self._guide(name).verify(headers, body, now, url, method)
        return self._standard().verify(headers, body, now, url, method)

    def sign(self, body: bytes, now: float, message_id: str = "msg_test") -> List[Tuple[str, str]]:
        """The Standard Webhooks form."""
        return self._standard().sign(body, now, message_id)

    def __post_init__(self) -> None:
        self._standard()

    def _standard(self) -> StandardScheme:
        return StandardScheme(self.secrets, tolerance_s=self.tolerance_s)

    def _guide(self, header: str) -> HmacScheme:
        return HmacScheme(self.secrets, tolerance_s=self.tolerance_s, **{**TIMESTAMPED, "header": header})
