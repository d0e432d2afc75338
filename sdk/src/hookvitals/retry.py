"""When to try again: exponential backoff with full jitter; and when to give up."""

from dataclasses import dataclass
from typing import Callable, Tuple

from hookvitals.failures import Kind, Named, kind_of
from hookvitals.jitter import uniform


@dataclass(frozen=True)
class RetryPolicy:
    """attempts: how often a handler runs at most. Waits grow from first_s by doubling up to cap_s.

    transient, permanent: exceptions, as classes or dotted names, that come besides those of `failures`; the
    closest base of an error decides, so that `permanent=(Exception,)` still retries what is known to pass.
    What is in neither is tried again.
    """

    attempts: int = 3
    first_s: float = 1.0
    cap_s: float = 60.0
    uniform: Callable[[float, float], float] = uniform
    transient: Tuple[Named, ...] = ()
    permanent: Tuple[Named, ...] = ()

    def __post_init__(self) -> None:
        if self.attempts < 1 or not self.first_s >= 0 or not self.cap_s >= 0:
            raise ValueError("a retry policy needs at least 1 attempt, and waits of 0 s or more")
        for one in (*self.transient, *self.permanent):
            if not isinstance(one, str) and not (isinstance(one, type) and issubclass(one, BaseException)):
                raise ValueError(f"{one!r} is neither an exception's class nor its dotted name")
            if one in self.transient and one in self.permanent:
                raise ValueError(f"{one!r} cannot be both transient and permanent")

    def exhausted(self, attempts: int) -> bool:
        """Whether the attempt that just failed, number `attempts`, was the last."""
        return attempts >= self.attempts

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after failed attempt number `attempts` (from 1): uniform in 0..bound."""
        return self.uniform(0.0, min(self.cap_s, self.first_s * 2.0 ** min(attempts - 1, 60)))

    def kind_of(self, error: BaseException) -> Kind:
        """What to expect of another try after this error."""
        return kind_of(error, self.transient, self.permanent)
