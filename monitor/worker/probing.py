"""Looking at every registered endpoint from outside, each at its interval, and reporting to the collector.

Results go in like any other client's: over HTTP, with a key. What cannot be reported is tried again with the
next round; a probe is never worth a queue.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget

THREADS = 8
SLACK = timedelta(milliseconds=500)
"""A probe due within this is made now: the job's tick would otherwise slip past a whole tick."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look at, and how often."""

    targets: Sequence[ProbeTarget]
    interval: timedelta
    tls_interval: timedelta
    timeout: timedelta


class Look(Protocol):
    """Makes one probe of one kind."""

    def __call__(self, target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult: ...


@dataclass(slots=True)
class Probing:
    """The job. It remembers when it last looked, so a restart looks at everything at once."""

    plan: Callable[[], Plan]
    look: Look
    report: Callable[[Sequence[ProbeResult]], None]
    clock: Clock
    _last_s: dict[tuple[ProbeTarget, ProbeKind], float] = field(default_factory=dict)

    def run(self, epoch: int) -> str:
        """Makes the probes that are due and reports them; says how many failed."""
        plan, now_s = self.plan(), self.clock.monotonic()
        due = [one for one in _wanted(plan) if self._is_due(one, plan, now_s)]
        if not due:
            return ""
        timeout_s = plan.timeout.total_seconds()
        with ThreadPoolExecutor(min(THREADS, len(due))) as pool:
            results = list(pool.map(lambda one: self.look(one[0], one[1], timeout_s), due))
        self.report(results)
        wanted = set(_wanted(plan))
        self._last_s = {one: at for one, at in self._last_s.items() if one in wanted}
        self._last_s.update(dict.fromkeys(due, now_s))
        failed = [f"{r.source}/{r.endpoint} {r.kind.value}: {r.error}" for r in results if not r.ok]
        return f"{len(failed)} of {len(results)} failed: {'; '.join(failed)}" if failed else ""

    def _is_due(self, one: tuple[ProbeTarget, ProbeKind], plan: Plan, now_s: float) -> bool:
        interval = plan.tls_interval if one[1] is ProbeKind.TLS else plan.interval
        last_s = self._last_s.get(one)
        return last_s is None or now_s - last_s >= (interval - SLACK).total_seconds()


def _wanted(plan: Plan) -> list[tuple[ProbeTarget, ProbeKind]]:
    both = [(target, kind) for target in plan.targets for kind in (ProbeKind.HTTP, ProbeKind.TLS)]
    return [(target, kind) for target, kind in both if kind is ProbeKind.HTTP or target.has_tls]
