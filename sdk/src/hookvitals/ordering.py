"""Order among the events of one resource: what is older than what was already processed is stale.

Equal versions pass: two events may well carry the same instant, and copies are the claim's concern.
Pure; what was processed is remembered by the state.
"""

import math
from dataclasses import dataclass
from typing import Any, Optional

from hookvitals.event import instant_us


@dataclass(frozen=True)
class Order:
    """Where an event stands among those of its resource. key: of the resource, in the state."""

    key: str
    rank: float

    def is_stale(self, processed: Optional[float]) -> bool:
        """Whether a newer version was processed already."""
        return processed is not None and self.rank < processed


def order_of(scope: str, resource: Any, version: Any) -> Optional[Order]:
    """The order of an event; None where the source does not say enough. scope: the receiver's own prefix."""
    ranked = None if resource is None else rank(version)
    return None if ranked is None else Order(f"{scope}\x1f{resource}", ranked)


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
