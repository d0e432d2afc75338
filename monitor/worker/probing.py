"""Looking at every registered endpoint from outside, each at its interval, and reporting to the collector.

Results go in like any other client's: over HTTP, with a key. What cannot be reported is tried again with the
next round; a probe is never worth a queue. In a maintenance window an endpoint is not looked at, so that
planned work counts neither as down nor as up.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zlib import crc32

from alerts.model import Silence
from alerts.patterns import all_match
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget

THREADS = 128
"""They do little but wait: as many endpoints that do not answer may hold up no others."""
SLACK = timedelta(milliseconds=500)
"""A probe due within this is made now: the job's tick would otherwise slip past a whole tick."""
APART_S = 0.05
"""First looks start so far apart on average, and so all later ones too: 1,000 in a minute do not start
together, and a handful is looked at at once."""
LOOKED_AT_TWICE = frozenset({ProbeKind.HTTP, ProbeKind.TLS, ProbeKind.PROVIDER, ProbeKind.METHOD})
"""What fails is looked at once more before it counts. An unsigned POST that was taken is not sent again."""
JUDGED_BY: Mapping[ProbeKind, str] = {
    ProbeKind.HTTP: "endpoint_down",
    ProbeKind.TLS: "certificate_expiry",
    ProbeKind.PROVIDER: "certificate_expiry",
    ProbeKind.UNSIGNED: "endpoint_exposure",
    ProbeKind.METHOD: "endpoint_exposure",
    ProbeKind.CANARY: "canary_lost",
}
"""The kind of rule that a look is for: what a maintenance window may name."""

One = tuple[ProbeTarget, ProbeKind]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look at, and how often. windows: planned work."""

    targets: Sequence[ProbeTarget]
    interval: timedelta
    tls_interval: timedelta
    timeout: timedelta
    exposure_interval: timedelta = timedelta(hours=1)
    windows: Sequence[Silence] = ()

    def every(self, kind: ProbeKind) -> timedelta:
        if kind is ProbeKind.HTTP:
            return self.interval
        return self.tls_interval if kind in (ProbeKind.TLS, ProbeKind.PROVIDER) else self.exposure_interval


class Look(Protocol):
    """Makes one probe of one kind."""

    def __call__(self, target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult: ...


@dataclass(slots=True)
class Probing:
    """The job. It remembers when it looks next, so a restart begins with everything anew."""

    plan: Callable[[], Plan]
    look: Look
    report: Callable[[Sequence[ProbeResult]], None]
    clock: Clock
    _next_s: dict[One, float] = field(default_factory=dict)

    def run(self, epoch: int) -> str:
        """Makes the probes that are due and reports them; says how many failed."""
        plan, now_s, now = self.plan(), self.clock.monotonic(), self.clock.now()
        due = self._due(plan, now_s)
        wanted = [one for one in due if not in_maintenance(one[0], one[1], plan.windows, now)]
        results = self._looked(wanted, plan.timeout.total_seconds()) if wanted else []
        if results:
            self.report(results)
        for one in due:
            every_s = plan.every(one[1]).total_seconds()
            missed = max(0, int((now_s + SLACK.total_seconds() - self._next_s[one]) // every_s))
            self._next_s[one] += (missed + 1) * every_s
        self._look_sooner(plan, [one for one, result in zip(wanted, results, strict=True) if not result.ok])
        failed = [f"{r.source}/{r.endpoint} {r.kind.value}: {r.error}" for r in results if not r.ok]
        return f"{len(failed)} of {len(results)} failed: {'; '.join(failed)}" if failed else ""

    def _look_sooner(self, plan: Plan, failed: Sequence[One]) -> None:
        """An endpoint that does not answer may have a certificate that its callers refuse: that is looked at
        next, and a bad one as often as the endpoint, so that its end is seen soon."""
        now_s = self.clock.monotonic()
        for target, kind in failed:
            one = (target, ProbeKind.TLS if kind is ProbeKind.HTTP else kind)
            if one in self._next_s and one[1] in (ProbeKind.TLS, ProbeKind.PROVIDER):
                at_s = now_s if kind is ProbeKind.HTTP else now_s + plan.interval.total_seconds()
                self._next_s[one] = min(self._next_s[one], at_s)

    def _due(self, plan: Plan, now_s: float) -> list[One]:
        """What is due; from now on it is known when each look of the plan comes, and of no other."""
        every = [(target, kind) for target in plan.targets for kind in target.looks]
        spread_s = APART_S * len(every)
        self._next_s = {
            one: self._next_s.get(
                one, now_s + _share(one) * min(spread_s, plan.every(one[1]).total_seconds())
            )
            for one in every
        }
        by = now_s + SLACK.total_seconds()
        return [one for one, at_s in self._next_s.items() if at_s <= by]

    def _looked(self, due: Sequence[One], timeout_s: float) -> list[ProbeResult]:
        with ThreadPoolExecutor(min(THREADS, len(due))) as pool:
            results = self._each(pool, due, timeout_s)
            again = [
                at for at, result in enumerate(results) if not result.ok and result.kind in LOOKED_AT_TWICE
            ]
            for at, result in zip(again, self._each(pool, [due[at] for at in again], timeout_s), strict=True):
                results[at] = result
        return results

    def _each(self, pool: Executor, looks: Sequence[One], timeout_s: float) -> list[ProbeResult]:
        return list(pool.map(lambda one: self.look(one[0], one[1], timeout_s), looks))


def in_maintenance(target: ProbeTarget, kind: ProbeKind, windows: Sequence[Silence], now: datetime) -> bool:
    """Whether a window is open that covers the alert this look may raise, whatever its severity."""
    rule = JUDGED_BY[kind]
    labels = {
        "environment": target.environment,
        "source": target.source,
        "endpoint": target.endpoint,
        "rule": rule,
        "kind": rule,
    }
    return any(window.holds(now) and all_match(window.matchers, labels) for window in windows)


def _share(one: One) -> float:
    """Where in its interval a look lies, 0..1, the same after each restart."""
    target, kind = one
    name = "\0".join((target.environment, target.source, target.endpoint, kind.value))
    return crc32(name.encode()) / 2**32
