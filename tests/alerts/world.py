"""A world for rules to look at: windows, queue samples and probe results set by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.house import Backlog, House, Instance
from alerts.issues import Issue, Kin
from alerts.model import (
    ErrorCount,
    ProbeKind,
    ProbeResult,
    QueueSample,
    Refusal,
    Repeats,
    Rule,
    Stuck,
    Target,
    Terms,
    Window,
)
from alerts.sightings import Aspect, Declared, Sighting

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PAYMENTS = Target("production", "stripe", "payments")
BROKEN = Kin("production", "stripe", "payments", "invoice.paid", "Timeout", "no answer within <number> s")
RECORD_ID = "0193f000-0000-7000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Times:
    """A distribution of exact values."""

    values_ms: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.values_ms)

    def quantile(self, q: float) -> float | None:
        if not self.values_ms:
            return None
        ordered = sorted(self.values_ms)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]

    def share_above(self, ms: float) -> float:
        return sum(value > ms for value in self.values_ms) / max(1, len(self.values_ms))


@dataclass(slots=True)
class World:
    """Implements Observations. window_of, past_of: functions of (target, start_at, end_at), so that a test
    can vary them."""

    heartbeat_at: datetime | None = NOW
    places: list[Target] = field(default_factory=lambda: [PAYMENTS])
    window_of: Callable[[Target, datetime, datetime], Window] = Window
    samples: Sequence[QueueSample] = ()
    results: Mapping[ProbeKind, Sequence[ProbeResult]] = field(default_factory=dict)
    event_types: Sequence[str] = ()
    agreed: Terms = field(default_factory=Terms)
    past_of: Callable[[Target, datetime, datetime], Window] = Window
    last_at: datetime | None = NOW
    never_ended: Stuck = field(default_factory=Stuck)
    refusals: Sequence[Refusal] = ()
    done_twice: Repeats = field(default_factory=Repeats)
    open_issues: Sequence[Issue] = ()
    monitor: House = field(default_factory=House)
    sighted: Sequence[Sighting] = ()
    said: Declared = field(default_factory=Declared)

    def last_heartbeat_at(self) -> datetime | None:
        return self.heartbeat_at

    def targets(self, rule: Rule) -> Sequence[Target]:
        return self.places

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        return self.window_of(target, start_at, end_at)

    def types(self, target: Target) -> Sequence[Target]:
        return [replace(target, event_type=name) for name in self.event_types]

    def terms(self, target: Target) -> Terms:
        return self.agreed

    def past(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        return self.past_of(target, start_at, end_at)

    def last_event_at(self, target: Target) -> datetime | None:
        return self.last_at

    def stuck(self, target: Target, older_than: timedelta, back: timedelta) -> Stuck:
        return self.never_ended

    def refused(self, target: Target, start_at: datetime, end_at: datetime) -> Sequence[Refusal]:
        return self.refusals

    def repeats(self, target: Target, start_at: datetime, end_at: datetime) -> Repeats:
        return self.done_twice

    def issues(self, target: Target, since: datetime) -> Sequence[Issue]:
        return self.open_issues

    def sightings(self, target: Target) -> Sequence[Sighting]:
        return self.sighted

    def declared(self, target: Target) -> Declared:
        return self.said

    def house(self) -> House:
        return self.monitor

    def queues(self, target: Target) -> Sequence[QueueSample]:
        return self.samples

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        return self.results.get(kind, ())


def attempts(succeeded: int = 0, failed: int = 0, dead_lettered: int = 0, error: str = "Timeout") -> World:
    """A world in which every target had these attempts."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        failures = failed + dead_lettered
        return Window(
            target,
            start_at,
            end_at,
            succeeded=succeeded,
            failed=failed,
            dead_lettered=dead_lettered,
            deliveries=succeeded + failures,
            top_errors=(ErrorCount(error, failures),) if failures else (),
            failure_exemplars=("0193f000-0000-7000-8000-000000000001",) if failures else (),
        )

    return World(window_of=window)


def processing(*values_ms: float) -> World:
    """A world in which every target's attempts took these times."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(
            target,
            start_at,
            end_at,
            succeeded=len(values_ms),
            process_ms=Times(values_ms),
            slow_exemplars=("0193f000-0000-7000-8000-000000000002",),
        )

    return World(window_of=window)


def deliveries(total: int, **refused: int) -> World:
    """A world in which every target had this many deliveries, some of them refused for these reasons."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(target, start_at, end_at, deliveries=total, verification_failures=refused)

    return World(window_of=window)


def answered(*values_ms: float) -> World:
    """A world in which every target's deliveries were answered after these times."""

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(
            target,
            start_at,
            end_at,
            succeeded=len(values_ms),
            deliveries=len(values_ms),
            answers={200: len(values_ms)},
            ack_ms=Times(values_ms),
            slow_exemplars=("0193f000-0000-7000-8000-000000000003",),
        )

    return World(window_of=window)


def statuses(answers: Mapping[int, int], refusals: Mapping[int, int] | None = None, **changes: Any) -> World:
    """A world in which every target's sender got these answers; changes: further fields of Window."""
    refused = refusals or {}

    def window(target: Target, start_at: datetime, end_at: datetime) -> Window:
        total = sum(answers.values()) + sum(refused.values())
        return Window(
            target, start_at, end_at, deliveries=total, answers=answers, refusals=refused, **changes
        )

    return World(window_of=window)


def silent_since(silence: timedelta | None, usual: int = 100) -> World:
    """A world whose last event is this old (None: there never was one), and that had so many an hour in each
    past week."""

    def past(target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(target, start_at, end_at, succeeded=usual)

    return World(last_at=None if silence is None else NOW - silence, past_of=past)


def usually(world: World, **week: Any) -> World:
    """The world with such past hours."""
    world.past_of = lambda target, start_at, end_at: Window(target, start_at, end_at, **week)
    return world


def unended(count: int, of: int = 10) -> World:
    """A world in which so many of the acknowledged events never ended."""
    oldest = (NOW - timedelta(hours=3), ("0193f000-0000-7000-8000-000000000004",)) if count else ()
    return World(never_ended=Stuck(of, count, *oldest))


def promised(objective: float, succeeded: int, dead_lettered: int) -> World:
    """A world whose targets have an SLO, and in whose every window so many events ended."""
    world = attempts(succeeded, dead_lettered=dead_lettered)
    world.agreed = Terms(objective=objective)
    return world


def queue(depth: int, oldest_age_s: float | None = None, sampled_before: timedelta = timedelta(0)) -> World:
    return World(samples=[QueueSample("inbox", depth, oldest_age_s, NOW - sampled_before)])


def probed(*results: ProbeResult) -> World:
    """A world in which every target was probed with these results, newest first."""
    kinds = {result.kind for result in results}
    return World(results={kind: [item for item in results if item.kind is kind] for kind in kinds})


def down(failures: int, error: str = "connection refused", checked_before: timedelta = timedelta(0)) -> World:
    """A world whose last probes failed this many times in a row, once a minute; a good one came before."""
    bad = [
        ProbeResult(
            ProbeKind.HTTP,
            ok=False,
            checked_at=NOW - checked_before - timedelta(minutes=ago),
            error=error,
            consecutive_failures=failures - ago,
        )
        for ago in range(failures)
    ]
    good = ProbeResult(
        ProbeKind.HTTP,
        ok=True,
        checked_at=NOW - checked_before - timedelta(minutes=failures),
        status=200,
        latency_ms=12,
    )
    return probed(*bad, good)


def canaries_lost(failures: int, checked_before: timedelta = timedelta(0)) -> World:
    """A world whose last canaries were answered and left no record, so many in a row."""
    error = "a canary was answered 200, but left no record within 60 s"
    bad = [
        ProbeResult(
            ProbeKind.CANARY,
            ok=False,
            checked_at=NOW - checked_before - timedelta(minutes=5 * ago),
            status=200,
            error=error,
            consecutive_failures=failures - ago,
        )
        for ago in range(failures)
    ]
    at = NOW - checked_before - timedelta(minutes=5 * failures)
    return probed(*bad, ProbeResult(ProbeKind.CANARY, ok=True, checked_at=at, status=200))


def asked_unsigned(status: int, error: str = "", checked_before: timedelta = timedelta(0)) -> World:
    """A world whose endpoints answered an unsigned POST with this status; error: what is wrong with that."""
    at, bad = NOW - checked_before, bool(error)
    result = ProbeResult(ProbeKind.UNSIGNED, not bad, at, status, error=error, consecutive_failures=int(bad))
    return probed(result)


def certificate(left: timedelta, checked_before: timedelta = timedelta(0)) -> World:
    """A world whose endpoint has a certificate with this much time left."""
    result = ProbeResult(
        ProbeKind.TLS, ok=left > timedelta(0), checked_at=NOW - checked_before, cert_not_after=NOW + left
    )
    return probed(result)


def silent_for(silence: timedelta | None) -> World:
    """A world whose last heartbeat is this old; None for no heartbeat ever."""
    return replace(World(), heartbeat_at=None if silence is None else NOW - silence)


def broken(
    failures: int, kin: Kin = BROKEN, since: timedelta = timedelta(0), *, again: bool = False
) -> World:
    """A world with one issue, first seen or back `since` ago."""
    at = NOW - since
    return World(open_issues=[Issue(kin, at, at, failures, RECORD_ID, regressed_at=at if again else None)])


def housed(**changes: Any) -> World:
    """A world whose monitor is like this; changes: fields of House."""
    return World(monitor=House(**changes))


def waiting_for(waited: timedelta, channel: str = "pager") -> World:
    return housed(backlogs=[Backlog(channel, 2, NOW - waited)])


def clock_off(skew: timedelta, name: str = "web-1") -> World:
    return housed(instances=[Instance(name, NOW, skew)])


def lost(dropped: int, missing: int = 0, ago: timedelta = timedelta(minutes=1)) -> World:
    """A world in which one receiver dropped so many, the last of them so long ago."""
    counts = {"memory_full": dropped}
    return housed(instances=[Instance("web-1", NOW, timedelta(0), counts, NOW - ago, missing)])


def sighted(*values: tuple[Aspect, str, timedelta, timedelta], expected: Sequence[str] = ()) -> World:
    """A world in which each value was first and last seen so long ago, at an endpoint of 100 days."""
    usual = {Aspect.TYPE: "ping", Aspect.ADDRESS: "192.0.2.1", Aspect.FIELD: "id"}
    begun_at = NOW - timedelta(days=100)
    long_ago = [Sighting(aspect, value, begun_at, NOW, RECORD_ID) for aspect, value in usual.items()]
    seen = [
        Sighting(aspect, value, NOW - first, NOW - last, RECORD_ID) for aspect, value, first, last in values
    ]
    return World(sighted=[*long_ago, *seen], said=Declared(expected=frozenset(expected)))
