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

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_s < 0 or self.cap_s < 0:
            raise ValueError("a retry policy needs at least 1 attempt, and waits of 0 s or more")

    def exhausted(self, attempts: int) -> bool:
        """Whether the attempt that just failed, number `attempts`, was the last."""
        return attempts >= self.attempts

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after failed attempt number `attempts` (from 1): uniform in 0..bound."""
        return self.uniform(0.0, min(self.cap_s, self.first_s * 2.0 ** min(attempts - 1, 60)))
