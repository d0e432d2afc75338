"""Sending canaries, each endpoint's at its interval, and waiting for their records while nobody else waits.

A canary is an effect outside, so it is sent by the worker that leads, under its epoch. One that was on its
way when the worker stopped is forgotten: the next one asks the same.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from alerts.model import Silence
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.canary import lost
from monitor.probes.target import ProbeTarget
from monitor.worker.probing import in_maintenance

THREADS = 8
UNREPORTED_KEPT = 1000


@dataclass(frozen=True, slots=True)
class CanaryPlan:
    """Where canaries go and how often. within: how soon the record of one must be there."""

    targets: Sequence[ProbeTarget]
    interval: timedelta
    within: timedelta
    timeout: timedelta
    windows: Sequence[Silence] = ()


class Send(Protocol):
    """Sends one canary; ok when it was answered 2xx."""

    def __call__(self, target: ProbeTarget, canary_id: str, timeout_s: float) -> ProbeResult: ...


@dataclass(frozen=True, slots=True)
class Flying:
    """A canary that was answered, and whose record is awaited until then."""

    target: ProbeTarget
    canary_id: str
    sent: ProbeResult
    until_s: float


@dataclass(slots=True)
class Canaries:
    """The job. must_lead: raises LeaseLost when the epoch is past."""

    plan: Callable[[], CanaryPlan]
    send: Send
    arrived: Callable[[ProbeTarget, str], bool]
    report: Callable[[Sequence[ProbeResult]], None]
    must_lead: Callable[[int], None]
    new_id: Callable[[], str]
    clock: Clock
    _sent_s: dict[ProbeTarget, float] = field(default_factory=dict)
    _flying: list[Flying] = field(default_factory=list)
    _settled: list[ProbeResult] = field(default_factory=list)

    def run(self, epoch: int) -> str:
        """Settles what is in flight, sends what is due, reports what is known; says what failed."""
        plan, now_s = self.plan(), self.clock.monotonic()
        self._settle(plan, now_s)
        due = self._due(plan, now_s)
        if due:
            self.must_lead(epoch)
            self._send(due, plan, now_s)
        if not self._settled:
            return ""
        self.report(self._settled)
        results, self._settled = self._settled, []
        failed = [f"{r.source}/{r.endpoint}: {r.error}" for r in results if not r.ok]
        return f"{len(failed)} of {len(results)} canaries failed: {'; '.join(failed)}" if failed else ""

    def _settle(self, plan: CanaryPlan, now_s: float) -> None:
        flying = []
        for one in self._flying:
            if self.arrived(one.target, one.canary_id):
                self._settled.append(one.sent)
            elif now_s >= one.until_s:
                self._settled.append(lost(one.sent, plan.within))
            else:
                flying.append(one)
        self._flying = flying
        del self._settled[:-UNREPORTED_KEPT]

    def _due(self, plan: CanaryPlan, now_s: float) -> list[ProbeTarget]:
        wanted, now = set(plan.targets), self.clock.now()
        self._sent_s = {target: at for target, at in self._sent_s.items() if target in wanted}
        every_s = plan.interval.total_seconds()
        return [
            target
            for target in plan.targets
            if now_s - self._sent_s.get(target, now_s - every_s) >= every_s
            and not in_maintenance(target, ProbeKind.CANARY, plan.windows, now)
        ]

    def _send(self, due: Sequence[ProbeTarget], plan: CanaryPlan, now_s: float) -> None:
        timeout_s, until_s = plan.timeout.total_seconds(), now_s + plan.within.total_seconds()
        named = [(target, self.new_id()) for target in due]
        with ThreadPoolExecutor(min(THREADS, len(named))) as pool:
            results = list(pool.map(lambda one: self.send(one[0], one[1], timeout_s), named))
        self._sent_s.update(dict.fromkeys(due, now_s))
        for (target, canary_id), result in zip(named, results, strict=True):
            if result.ok:
                self._flying.append(Flying(target, canary_id, result, until_s))
            else:
                self._settled.append(result)
