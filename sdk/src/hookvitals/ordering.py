"""Order among the events of one resource: what is older than what was already processed is stale, what says
the same version again is a duplicate.

Times are compared as instants, whatever their offset and number of digits. Pure; what was processed is
remembered by the state.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Optional

from hookvitals.event import instant_us

EQUAL_VERSIONS = ("duplicate", "process")
STALE, DUPLICATE = "stale", "duplicate"
_EXACT = float(1 << 53)
"""Below this a float tells every two whole numbers apart."""
_BELOW_A_MICROSECOND = re.compile(r"\.\d{6}0*[1-9]", re.ASCII)


@dataclass(frozen=True)
class Order:
    """Where an event stands among those of its resource. key: of the resource, in the state.

    exact: whether an equal rank is an equal version; of what is finer than a rank can say, nobody knows.
    equal: what an equal version is, of EQUAL_VERSIONS.
    """

    key: str
    rank: float
    exact: bool = True
    equal: str = DUPLICATE

    def verdict(self, processed: Optional[float]) -> Optional[str]:
        """STALE or DUPLICATE, the outcome of an event that needs no processing; None for one that does.

        processed: the rank of the newest version that was processed.
        """
        if processed is None or self.rank > processed:
            return None
        if self.rank < processed:
            return STALE
        return DUPLICATE if self.exact and self.equal == DUPLICATE else None


def order_of(scope: str, resource: Any, version: Any, equal: str = DUPLICATE) -> Optional[Order]:
    """The order of an event; None where the source does not say enough. scope: the receiver's own prefix."""
    ranked = None if resource is None else rank(version)
    if ranked is None:
        return None
    exact = abs(ranked) < _EXACT and not (
        isinstance(version, str) and _BELOW_A_MICROSECOND.search(version) is not None
    )
    return Order(f"{scope}\x1f{resource}", ranked, exact, equal)


def rank(version: Any) -> Optional[float]:
    """A finite number that orders versions of one resource: a counter, or an instant. None for neither."""
    if isinstance(version, bool) or not isinstance(version, (int, float, str)):
        return None
    try:
        number = float(version)
    except OverflowError:
        return None
    except ValueError:
        at_us = instant_us(version)
        return None if at_us is None else float(at_us)
    return number if math.isfinite(number) else None
