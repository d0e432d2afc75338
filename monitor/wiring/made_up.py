"""Made-up traffic as the rules see it: the story of a case, minute by minute, told as Observations.

What a case does not speak of does not exist: no past weeks, no stuck events, no issues.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from alerts.house import House
from alerts.issues import Issue
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
from alerts.patterns import matches
from alerts.sightings import Declared, Sighting
from monitor.config import Document
from monitor.config.cases import CaseTable, MinuteTable, StretchTable, TrafficTable
from monitor.model import SeriesKey
from monitor.store.control.catalog import Endpoint, ManagedBy
from monitor.wiring.applying import source_of
from monitor.wiring.terms import terms_of

MINUTE = timedelta(minutes=1)
Place = tuple[str, str, str]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Weighted:
    """A distribution of exact values: (milliseconds, how many), smallest first."""

    values: tuple[tuple[float, int], ...]

    @property
    def count(self) -> int:
        return sum(n for _, n in self.values)

    def quantile(self, q: float) -> float | None:
        left = q * self.count
        for ms, n in self.values:
            left -= n
            if left <= 0:
                return ms
        return None

    def share_above(self, ms: float) -> float:
        return sum(n for value, n in self.values if value > ms) / max(1, self.count)


class Story:
    """A case as Observations of one minute after the other."""

    def __init__(self, case: CaseTable, start_at: datetime, document: Document) -> None:
        self.case, self.start_at = case, start_at
        self.end_at = start_at + case.length
        self.places = sorted({table.place for table in (*case.traffic, *case.queues, *case.probes)})
        endpoints = [Endpoint(*place, ManagedBy.SEEN, start_at) for place in self.places]
        sources = [source_of(table, start_at) for table in document.sources]
        self._terms = terms_of(sources, endpoints, document)

    def at(self, now: datetime) -> "Moment":
        return Moment(self, now)

    def terms(self, place: Place) -> Terms:
        return self._terms[SeriesKey(*place)]

    def minutes_of(self, table: StretchTable, start_at: datetime, end_at: datetime) -> int:
        """How many of the table's minutes lie in [start_at, end_at)."""
        first, last = self._stretch(table)
        return max(0, (min(end_at, last) - max(start_at, first)) // MINUTE)

    def covers(self, table: StretchTable, now: datetime) -> bool:
        first, last = self._stretch(table)
        return first < now <= last

    def is_blind(self, now: datetime) -> datetime | None:
        """When nobody could see any more, if nobody can see now."""
        for table in self.case.blind:
            if self.start_at + table.from_ < now <= self.start_at + table.to:
                return self.start_at + table.from_
        return None

    def down_since(self, place: Place, now: datetime) -> datetime | None:
        """When the endpoint stopped to answer probes, if it does not now."""
        spans = [self._stretch(one) for one in self.case.probes if one.place == place and not one.up]
        return next((first for first, last in spans if first < now <= last), None)

    def _stretch(self, table: StretchTable) -> tuple[datetime, datetime]:
        first = self.start_at + table.from_
        return first, self.end_at if table.to is None else self.start_at + table.to


@dataclass(frozen=True, slots=True)
class Moment:
    """Observations of a story as of `now`."""

    story: Story
    now: datetime

    def last_heartbeat_at(self) -> datetime | None:
        return self.story.is_blind(self.now) or self.now

    def targets(self, rule: Rule) -> Sequence[Target]:
        found = {Target(*place) for place in self.story.places}
        if rule.event_type != "*":
            found = {Target(*table.place, table.event_type) for table in self.story.case.traffic}
        return sorted(
            (
                target
                for target in found
                if matches(rule.environment, target.environment)
                and matches(rule.source, target.source or "")
                and matches(rule.endpoint, target.endpoint or "")
                and (target.event_type is None or matches(rule.event_type, target.event_type))
            ),
            key=lambda target: tuple(target.labels().items()),
        )

    def types(self, target: Target) -> Sequence[Target]:
        names = sorted({table.event_type for table in self._traffic(target)})
        return [Target(*_place(target), name) for name in names]

    def terms(self, target: Target) -> Terms:
        return self.story.terms(_place(target))

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        found = Window(target, start_at, end_at)
        for table in self._traffic(target):
            times = self.story.minutes_of(table, start_at, min(end_at, self.now))
            if times:
                found = _added(found, table.per_minute, times)
        return found

    def past(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        return Window(target, start_at, end_at)

    def last_event_at(self, target: Target) -> datetime | None:
        moving = [self._last_minute(table) for table in self._traffic(target) if _verified(table.per_minute)]
        return max((at for at in moving if at is not None), default=None)

    def stuck(self, target: Target, older_than: timedelta, back: timedelta) -> Stuck:
        return Stuck()

    def refused(self, target: Target, start_at: datetime, end_at: datetime) -> Sequence[Refusal]:
        return ()

    def repeats(self, target: Target, start_at: datetime, end_at: datetime) -> Repeats:
        return Repeats()

    def issues(self, target: Target, since: datetime) -> Sequence[Issue]:
        return ()

    def sightings(self, target: Target) -> Sequence[Sighting]:
        return ()

    def declared(self, target: Target) -> Declared:
        return Declared()

    def house(self) -> House:
        return House(evaluated_at=self.now)

    def queues(self, target: Target) -> Sequence[QueueSample]:
        return [
            QueueSample(
                table.queue,
                table.depth,
                None if table.oldest_age is None else table.oldest_age.total_seconds(),
                self.now,
            )
            for table in self.story.case.queues
            if table.place == _place(target) and self.story.covers(table, self.now)
        ]

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        place = _place(target)
        tables = [
            one for one in self.story.case.probes if one.place == place and self.story.covers(one, self.now)
        ]
        if kind is ProbeKind.TLS:
            return [
                ProbeResult(kind, True, self.now, cert_not_after=self.story.start_at + one.expires_in)
                for one in tables
                if one.expires_in is not None
            ]
        if not tables or kind is not ProbeKind.HTTP:
            return []
        down_since = self.story.down_since(place, self.now)
        if down_since is None:
            return [ProbeResult(kind, True, self.now, 200, 20.0)]
        failures = (self.now - down_since) // MINUTE
        return [ProbeResult(kind, False, self.now, error="no answer", consecutive_failures=failures)]

    def _traffic(self, target: Target) -> Iterator[TrafficTable]:
        for table in self.story.case.traffic:
            if table.place == _place(target) and target.event_type in (None, table.event_type):
                yield table

    def _last_minute(self, table: TrafficTable) -> datetime | None:
        minutes = self.story.minutes_of(table, self.story.start_at, self.now)
        return self.story.start_at + table.from_ + (minutes - 1) * MINUTE if minutes else None


def _place(target: Target) -> Place:
    return target.environment, target.source or "", target.endpoint or ""


def _verified(minute: MinuteTable) -> bool:
    counts = (minute.succeeded, minute.failed, minute.dead_lettered, minute.accepted, minute.duplicates)
    return any((*counts, minute.stale, minute.unhandled))


def _added(window: Window, minute: MinuteTable, times: int) -> Window:
    """The window with so many of these minutes."""
    failures = (minute.failed + minute.dead_lettered) * times
    attempts = minute.succeeded * times + failures
    answers = _answers(minute)
    refused = {reason: n * times for reason, n in minute.refused.items()}
    answered = sum(answers.values()) * times
    return replace(
        window,
        succeeded=window.succeeded + minute.succeeded * times,
        failed=window.failed + minute.failed * times,
        dead_lettered=window.dead_lettered + minute.dead_lettered * times,
        accepted=window.accepted + minute.accepted * times,
        duplicates=window.duplicates + minute.duplicates * times,
        stale=window.stale + minute.stale * times,
        unhandled=window.unhandled + minute.unhandled * times,
        rejected=window.rejected + sum(refused.values()),
        deliveries=window.deliveries + answered + sum(refused.values()),
        answers=_sum(window.answers, {status: n * times for status, n in answers.items()}),
        refusals=_sum(window.refusals, {401: sum(refused.values())} if refused else {}),
        verification_failures=_sum(window.verification_failures, refused),
        process_ms=_merged(window.process_ms, minute.process_ms, attempts),
        ack_ms=_merged(window.ack_ms, minute.ack_ms, answered),
        top_errors=_errors(window.top_errors, minute.error_class, failures),
    )


def _answers(minute: MinuteTable) -> Mapping[int, int]:
    if minute.answers is not None:
        return minute.answers
    taken = minute.duplicates + minute.stale + minute.unhandled
    if minute.accepted:  # the sender heard before the work began
        return {200: minute.accepted + taken}
    return {200: minute.succeeded + taken, 500: minute.failed + minute.dead_lettered}


def _sum(one: Mapping[Key, int], other: Mapping[Key, int]) -> dict[Key, int]:
    return {key: n for key, n in (Counter(one) + Counter(other)).items() if n}


def _merged(known: object, ms: float, count: int) -> Weighted:
    values = Counter(dict(known.values)) if isinstance(known, Weighted) else Counter[float]()
    if count:
        values[ms] += count
    return Weighted(tuple(sorted(values.items())))


def _errors(known: Sequence[ErrorCount], name: str, count: int) -> tuple[ErrorCount, ...]:
    counts = Counter({one.name: one.count for one in known})
    if count:
        counts[name] += count
    return tuple(ErrorCount(each, n) for each, n in counts.most_common())
