"""When to try again: exponential backoff with full jitter; and when to give up."""

import random
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class RetryPolicy:
    """attempts: how often a handler runs at most. Waits grow from first_s by doubling up to cap_s."""

    attempts: int = 3
    first_s: float = 1.0
    cap_s: float = 60.0
    uniform: Callable[[float, float], float] = random.SystemRandom().uniform

    def exhausted(self, attempts: int) -> bool:
        """Whether the attempt that just failed, number `attempts`, was the last."""
        return attempts >= self.attempts

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after failed attempt number `attempts` (from 1): uniform in 0..bound."""
        return self.uniform(0.0, min(self.cap_s, self.first_s * 2.0 ** (attempts - 1)))
