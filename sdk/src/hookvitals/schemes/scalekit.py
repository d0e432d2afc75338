"""Scalekit sends one of two forms; the header's shape says which, and the other is then not tried.

Its SDK's form is Standard Webhooks, under `interceptor-*` when an interceptor asks; its guide's is
`t=<seconds>,v1=<hex>` under the secret as text, in `webhook-signature` or `scalekit-signature`.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Sequence, Tuple, Union

from hookvitals.schemes.hmac_scheme import TIMESTAMPED, HmacScheme
from hookvitals.schemes.sender import Sender
from hookvitals.schemes.signed import DEFAULT_TOLERANCE_S, HeaderItems, Verified
from hookvitals.schemes.standard import StandardScheme

_GUIDES = ("scalekit-signature", "webhook-signature")
_PREFIXES = ("webhook", "interceptor")


@dataclass(frozen=True)
class ScalekitScheme(Sender):
    """Every form under the same secrets."""

    secrets: Sequence[Union[str, bytes]] = field(repr=False)
    tolerance_s: float = DEFAULT_TOLERANCE_S
    _guides: Dict[str, HmacScheme] = field(default_factory=dict, init=False, repr=False)
    _standard: Dict[str, StandardScheme] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for header in _GUIDES:
            settings = {**TIMESTAMPED, "header": header}
            self._guides[header] = HmacScheme(self.secrets, tolerance_s=self.tolerance_s, **settings)
        for prefix in _PREFIXES:
            self._standard[prefix] = StandardScheme(self.secrets, prefix, self.tolerance_s)

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        """Raises VerificationError unless the form that was sent holds."""
        for name, guide in self._guides.items():
            if any(found == name and value.lstrip().startswith("t=") for found, value in headers):
                return guide.verify(headers, body, now, url, method)
        names = {name for name, _ in headers}
        intercepted = "interceptor-signature" in names and "webhook-signature" not in names
        form = self._standard["interceptor" if intercepted else "webhook"]
        return form.verify(headers, body, now, url, method)

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> List[Tuple[str, str]]:
        """The Standard Webhooks form."""
        return self._standard["webhook"].sign(body, now, message_id)
